use std::time::Duration;

use retry_runtime::retry;

#[retry(error_delay = |_| Duration::from_secs(1))]
async fn load() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
