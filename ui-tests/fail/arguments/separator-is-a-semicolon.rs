use retry_runtime::retry;

#[retry(attempts = 3; start = "1s")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
