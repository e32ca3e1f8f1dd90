use retry_runtime::retry;

#[retry(breaker = "api::BREAKER")]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
