#![deny(unused_variables)]

use retry_runtime::retry;

#[retry]
pub async fn load(argument: u32) -> Result<u32, std::io::Error> {
    let local = 1;
    Ok(1)
}

#[retry(clone = [text])]
pub async fn cloned(text: String) -> Result<u32, std::io::Error> {
    Ok(1)
}

#[retry(bind = attempt)]
pub async fn bound() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
