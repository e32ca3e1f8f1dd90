use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call() -> Result<u32, String> {
    let mut log = vec![1];
    let call = retrying!(async {
        log.push(1);
        get().await
    });
    log.push(2);
    call.await
}

fn main() {}
