use retry_runtime::retry;

#[retry(attempts = limit)]
async fn load(limit: u32) -> Result<u32, String> {
    Ok(limit)
}

fn main() {}
