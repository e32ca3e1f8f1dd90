use retry_runtime::retry;

#[retry(jitter = "ful")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
