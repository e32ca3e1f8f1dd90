use std::time::Duration;

use retry_runtime::retry;

// A status in an error could still be retried.
#[retry(on_error = "never", on_status = [503], error_delay = |_| Some(Duration::from_secs(1)))]
async fn with_a_status() -> Result<u32, reqwest::Error> {
    Ok(1)
}

#[retry(on_error = "never", on_ok = |value| *value == 0, error_delay = |_| Some(Duration::from_secs(1)))]
async fn without_a_status() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
