use retry_runtime::retry;

#[retry(attempt = 3)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
