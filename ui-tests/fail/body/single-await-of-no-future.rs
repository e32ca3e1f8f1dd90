use retry_runtime::retry;

fn count() -> Result<u32, String> {
    Ok(1)
}

#[retry]
async fn load() -> Result<u32, String> {
    count().await
}

fn main() {}
