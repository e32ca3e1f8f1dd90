use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call() -> Result<u32, String> {
    let order = String::from("a");
    retrying!(async {
        drop(order);
        get().await
    })
    .await
}

fn main() {}
