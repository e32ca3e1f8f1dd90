use retry_runtime::retry;

static LIMIT: std::sync::OnceLock<u32> = std::sync::OnceLock::new();

#[retry(attempts = LIMIT)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
