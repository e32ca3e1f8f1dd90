use retry_runtime::retry;

#[retry(maxDelay = "1s", Attempts = 3)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
