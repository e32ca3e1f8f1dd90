use std::time::Duration;

use retry_runtime::retry;

const START: Duration = Duration::from_secs(9);
const LONGEST: Duration = Duration::from_secs(5);

#[retry(start = START, max_delay = LONGEST)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {
    drop(load());
}
