use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call() -> Result<u32, String> {
    let policy = retry_runtime::Policy::new();
    retrying!(policy = policy, hedge = "50ms", async { get().await }).await
}

fn main() {}
