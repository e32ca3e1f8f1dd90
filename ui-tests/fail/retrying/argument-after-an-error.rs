use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call() -> Result<u32, String> {
    let number = retrying!(atempts = 3, async |attempt| {
        if attempt.number() == 1 {
            return Err("no".to_owned());
        }
        get().await
    })
    .await?;
    Ok(number + 1)
}

fn main() {}
