use retry_runtime::retry;

#[retry(backoff = "fixed", factor = 2)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
