use retry_runtime::retry;

#[retry(
    attempts = 5,
    start = "1s",
)]
async fn load(order: String) -> Result<String, String> {
    Ok(order)
}

fn main() {}
