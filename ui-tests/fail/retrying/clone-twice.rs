use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call() -> Result<u32, String> {
    let name = String::new();
    retrying!(clone = [name, name], async { get().await.map(|n| n + name.len() as u32) }).await
}

fn main() {}
