use retry_runtime::retry;

async fn count() -> Result<u64, String> {
    Ok(1)
}

#[retry]
async fn load() -> Result<u32, String> {
    count().await
}

fn main() {}
