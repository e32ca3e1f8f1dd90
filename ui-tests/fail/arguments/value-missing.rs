use retry_runtime::retry;

#[retry(attempts, start =, backoff)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
