#![deny(deprecated)]

use retry_runtime::retry;

#[deprecated(note = "use `check`")]
fn old() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[deprecated(note = "use `load_all`")]
#[retry]
pub async fn load() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[retry]
pub async fn caller() -> Result<u32, std::io::Error> {
    old()?;
    load().await
}

fn main() {}
