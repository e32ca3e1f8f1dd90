use retry_runtime::retry;

#[retry(3, "fixed")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
