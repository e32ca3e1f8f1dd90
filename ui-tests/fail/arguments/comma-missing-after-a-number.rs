use retry_runtime::retry;

#[retry(attempts = 3 4, jitter = "full")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
