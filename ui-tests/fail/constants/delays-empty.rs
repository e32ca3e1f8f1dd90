use std::time::Duration;

use retry_runtime::retry;

const NONE: &[Duration] = &[];

#[retry(delays = NONE)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {
    drop(load());
}
