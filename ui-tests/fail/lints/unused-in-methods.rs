#![deny(unused)]

use retry_runtime::retry;

pub struct Client;

impl Client {
    #[retry]
    async fn never_called(&self) -> Result<u32, std::io::Error> {
        Ok(1)
    }

    #[retry]
    pub async fn load(&mut self, (used, unused): (u32, u32)) -> Result<u32, std::io::Error> {
        use std::fmt::Debug;
        Ok(used)
    }
}

#[retry(blocking)]
pub fn blocks(unused: u32) -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
