use std::time::Duration;

use retry_runtime::retry;

#[retry(deadline = Duration::ZERO)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {
    drop(load());
}
