use retry_runtime::retry;

#[retry(sleep = |delay| wait(delay))]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
