use retry_runtime::retry;

#[retry(hedge = "50ms", hedge_max = 1)]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
