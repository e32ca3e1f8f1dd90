use retry_runtime::retry;

#[retry(hedge = "5s", attempt_timeout = "2s")]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
