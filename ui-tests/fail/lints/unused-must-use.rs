#![deny(unused_must_use)]

use retry_runtime::retry;

fn check() -> Result<(), std::io::Error> {
    Ok(())
}

#[must_use = "or nothing happens"]
#[retry]
pub async fn load() -> Result<(), std::io::Error> {
    check();
    Ok(())
}

pub async fn caller() {
    load();
    load().await;
}

fn main() {}
