use retry_runtime::retry;

#[retry(backoff = "decorrelated", max_delay = "9s", jitter = "full")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
