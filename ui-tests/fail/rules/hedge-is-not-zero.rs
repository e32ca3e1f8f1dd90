use retry_runtime::retry;

#[retry(hedge = "0s")]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
