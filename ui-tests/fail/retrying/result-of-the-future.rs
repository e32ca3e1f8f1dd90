use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call() -> Result<u32, String> {
    let page = retrying!(attempts = 3, async { get().await })?;
    Ok(page)
}

fn main() {}
