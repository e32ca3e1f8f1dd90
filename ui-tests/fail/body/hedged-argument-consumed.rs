use retry_runtime::retry;

#[retry(hedge = "50ms")]
async fn load(url: String) -> Result<Vec<u8>, String> {
    Ok(url.into_bytes())
}

fn main() {}
