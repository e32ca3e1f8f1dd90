use retry_runtime::retry;

#[retry(attempts = 1, start = "1s", jitter = "full", retry_after = "1s")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
