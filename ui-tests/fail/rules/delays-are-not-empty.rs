use retry_runtime::retry;

#[retry(delays = [])]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
