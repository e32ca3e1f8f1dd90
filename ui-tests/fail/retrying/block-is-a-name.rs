use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call() -> Result<u32, String> {
    let future = get();
    retrying!(attempts = 3, future).await
}

fn main() {}
