use std::time::Duration;

use retry_runtime::retry;

const START: Duration = Duration::from_secs(9);

#[retry(start = START, deadline = "5s")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {
    drop(load());
}
