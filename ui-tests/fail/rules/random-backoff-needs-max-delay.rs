use retry_runtime::retry;

#[retry(backoff = "random", start = "1s")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
