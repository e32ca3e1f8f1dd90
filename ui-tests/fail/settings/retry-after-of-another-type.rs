use retry_runtime::retry;

const LIMIT: u32 = 503;

#[retry(retry_after = LIMIT)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
