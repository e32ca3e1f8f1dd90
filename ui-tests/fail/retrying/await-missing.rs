#![deny(unused_must_use)]

use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call() -> Result<u32, String> {
    retrying!(attempts = 3, async { get().await });
    get().await
}

fn main() {}
