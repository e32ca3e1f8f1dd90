use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call() -> Result<u32, String> {
    struct Token;
    let token = Token;
    retrying!(clone = [token], async {
        let Token = token;
        get().await
    })
    .await
}

fn main() {}
