use retry_runtime::retry;

#[retry(backoff = "quick")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
