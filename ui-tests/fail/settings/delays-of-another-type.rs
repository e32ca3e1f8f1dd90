use retry_runtime::retry;

const DELAYS: [u64; 2] = [1, 2];

#[retry(delays = DELAYS)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
