use retry_runtime::retry;

#[retry(attempts = 1.5)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
