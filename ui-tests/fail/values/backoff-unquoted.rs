use retry_runtime::retry;

#[retry(backoff = fixed)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
