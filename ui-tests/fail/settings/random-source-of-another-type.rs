use retry_runtime::retry;

fn dice() -> u32 {
    4
}

#[retry(jitter = "full", random_source = dice)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
