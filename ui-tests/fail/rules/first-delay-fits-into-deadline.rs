use retry_runtime::retry;

#[retry(backoff = "fixed", start = "10s", deadline = "5s")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
