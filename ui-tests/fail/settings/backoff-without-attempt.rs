use retry_runtime::retry;

fn second() -> std::time::Duration {
    std::time::Duration::from_secs(1)
}

#[retry(backoff = second)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
