use retry_runtime::retry;

#[retry(jitter = 0.5)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
