#![deny(unused_mut)]

use retry_runtime::retry;

#[retry]
pub async fn load(mut argument: u32) -> Result<u32, std::io::Error> {
    let mut local = 1;
    Ok(argument + local)
}

#[retry(clone = [text])]
pub async fn cloned(mut text: String) -> Result<usize, std::io::Error> {
    Ok(text.len())
}

fn main() {}
