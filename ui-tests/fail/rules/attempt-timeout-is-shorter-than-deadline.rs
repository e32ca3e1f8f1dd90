use retry_runtime::retry;

#[retry(attempt_timeout = "30s", deadline = "10s")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
