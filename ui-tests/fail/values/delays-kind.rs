use retry_runtime::retry;

#[retry(delays = "1s")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
