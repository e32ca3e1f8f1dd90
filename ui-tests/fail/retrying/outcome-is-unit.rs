use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call() -> () {
    retrying!(async {
        get().await;
    })
    .await
}

fn main() {}
