use retry_runtime::retry;

const LIMIT: u32 = 3;

#[retry(attempts = LIMITS)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
