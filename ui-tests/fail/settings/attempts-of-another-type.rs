use retry_runtime::retry;

const LIMIT: usize = 3;

#[retry(attempts = LIMIT)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
