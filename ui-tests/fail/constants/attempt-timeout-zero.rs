use std::time::Duration;

use retry_runtime::retry;

#[retry(attempt_timeout = Duration::ZERO)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {
    drop(load());
}
