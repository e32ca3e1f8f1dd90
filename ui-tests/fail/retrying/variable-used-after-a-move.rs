use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call() -> Result<u32, String> {
    let order = String::from("a");
    let outcome = retrying!(async move { get().await.map(|n| n + order.len() as u32) }).await;
    drop(order);
    outcome
}

fn main() {}
