use retry_runtime::retry;

#[retry(deadline = "0s", attempt_timeout = "0ms")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
