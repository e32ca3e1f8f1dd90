use std::num::ParseIntError;

use retry_runtime::retry;

#[retry(on_status = [503])]
async fn count(text: &str) -> Result<u8, ParseIntError> {
    text.parse()
}

fn main() {}
