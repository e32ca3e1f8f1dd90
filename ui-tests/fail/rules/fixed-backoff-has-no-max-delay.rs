use retry_runtime::retry;

#[retry(backoff = "fixed", start = "1s", max_delay = "9s")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
