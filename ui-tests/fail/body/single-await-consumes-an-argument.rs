use retry_runtime::retry;

async fn push(order: String) -> Result<u32, String> {
    Err(order)
}

#[retry]
async fn push_order(order: String) -> Result<u32, String> {
    push(order).await
}

fn main() {}
