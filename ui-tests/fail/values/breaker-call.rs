use retry_runtime::retry;

#[retry(breaker = Breaker::new().minimum_attempts(5))]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
