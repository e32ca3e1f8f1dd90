use retry_runtime::retry;

#[retry(attempts = 4294967296)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
