#![deny(unreachable_code)]

use retry_runtime::retry;

#[retry]
pub async fn load() -> Result<u32, std::io::Error> {
    return Ok(1);
    Ok(2)
}

fn main() {}
