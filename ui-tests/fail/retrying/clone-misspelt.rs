use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call() -> Result<u32, String> {
    let config = String::new();
    retrying!(clone = [confg], async {
        drop(config);
        get().await
    })
    .await
}

fn main() {}
