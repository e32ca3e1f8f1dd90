#![deny(unused_variables, unreachable_code, unused_mut)]

use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call() -> Result<u32, String> {
    let name = String::new();
    retrying!(clone = [name], async |attempt| {
        let mut number = 1;
        return get().await;
        get().await
    })
    .await
}

fn main() {}
