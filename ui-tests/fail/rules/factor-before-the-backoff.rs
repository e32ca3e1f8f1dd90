use retry_runtime::retry;

#[retry(factor = 2, backoff = "linear")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
