use retry_runtime::retry;

#[retry(backoff = |attempt| attempt.elapsed())]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
