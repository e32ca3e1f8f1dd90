use retry_runtime::retry;

use std::time::Duration;
const DELAYS: [Duration; 1] = [Duration::from_secs(1)];

#[retry(delays = DELAYS)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
