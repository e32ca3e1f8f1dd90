use retry_runtime::retry;

#[retry(start = Duration::from_secs(1))]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
