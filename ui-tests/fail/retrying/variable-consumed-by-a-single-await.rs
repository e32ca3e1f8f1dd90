use retry_runtime::retrying;

async fn post(order: String) -> Result<u32, String> {
    Err(order)
}

async fn call() -> Result<u32, String> {
    let order = String::from("a");
    retrying!(async { post(order).await }).await
}

fn main() {}
