#![deny(missing_docs)]
//! Documented.

use retry_runtime::retry;

#[retry]
pub async fn load() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
