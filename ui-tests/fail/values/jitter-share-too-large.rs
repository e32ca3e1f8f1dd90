use retry_runtime::retry;

#[retry(jitter = "120%")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
