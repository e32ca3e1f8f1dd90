use retry_runtime::retry;

#[retry]
async fn load(order: String) -> Result<u32, String> {
    tokio::spawn(async move { drop(order) });
    Ok(1)
}

fn main() {}
