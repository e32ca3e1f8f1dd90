#![deny(dead_code)]

use retry_runtime::retry;

#[retry]
async fn load() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
