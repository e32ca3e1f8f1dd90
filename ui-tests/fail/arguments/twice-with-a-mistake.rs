use retry_runtime::retry;

#[retry(start = "1x", start = "1s")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
