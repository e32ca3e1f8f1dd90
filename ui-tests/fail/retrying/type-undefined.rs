use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call() -> Result<u32, String> {
    retrying!(async || -> Result<Loaded, String> { get().await }).await
}

fn main() {}
