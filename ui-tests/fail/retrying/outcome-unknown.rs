use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call() -> Result<u32, String> {
    let page: Result<u32, String> = retrying!(async { Ok(get().await?) }).await;
    page
}

fn main() {}
