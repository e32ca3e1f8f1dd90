use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

const ZERO: u32 = 0;

async fn call() -> Result<u32, String> {
    retrying!(attempts = ZERO, async { get().await }).await
}

fn main() {
    drop(call());
}
