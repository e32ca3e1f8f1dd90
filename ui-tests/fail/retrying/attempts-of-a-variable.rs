use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call(n: u32) -> Result<u32, String> {
    retrying!(attempts = n, async { get().await }).await
}

fn main() {}
