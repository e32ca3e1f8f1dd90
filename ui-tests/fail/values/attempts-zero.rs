use retry_runtime::retry;

#[retry(attempts = 0)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
