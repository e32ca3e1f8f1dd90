use retry_runtime::retry;

#[retry(factor = 0.5)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
