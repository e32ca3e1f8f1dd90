use retry_runtime::retry;

#[retry(attempts = 3, delays = ["1s", "2s", "3s"])]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
