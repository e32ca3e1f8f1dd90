use retry_runtime::retry;

#[retry(
    max_attempts = 4,
    total_timeout = "1m",
    strategy = "fixed",
    when = String::is_empty,
    cap = "9s",
    max_retries = RETRIES
)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
