use retry_runtime::retry;

#[retry(factor = "twice")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
