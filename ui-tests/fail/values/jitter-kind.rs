use retry_runtime::retry;

#[retry(jitter = true)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
