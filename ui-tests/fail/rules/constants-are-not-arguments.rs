use retry_runtime::retry;

#[retry(attempts = most, start = first)]
async fn load(most: u32, first: std::time::Duration) -> Result<u32, String> {
    tokio::time::sleep(first).await;
    Ok(most)
}

fn main() {}
