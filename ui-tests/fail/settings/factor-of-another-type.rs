use retry_runtime::retry;

const FACTOR: u32 = 3;

#[retry(factor = FACTOR)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
