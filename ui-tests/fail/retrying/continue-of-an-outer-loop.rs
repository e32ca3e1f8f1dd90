use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call() -> Result<u32, String> {
    for _ in 0..3 {
        let _ = retrying!(async {
            if get().await.is_err() {
                continue;
            }
            get().await
        });
    }
    get().await
}

fn main() {}
