use std::num::ParseIntError;

use retry_runtime::retry;

#[retry(on_error = "transient")]
async fn store() -> Result<(), String> {
    Ok(())
}

#[retry(on_error = "transient")]
async fn count(text: &str) -> Result<u8, ParseIntError> {
    text.parse()
}

#[retry(on_error = "transient", on_ok = |n| *n == 0)]
async fn find() -> Option<u32> {
    None
}

fn main() {}
