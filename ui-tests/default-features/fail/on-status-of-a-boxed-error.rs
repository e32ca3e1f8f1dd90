use std::error::Error;

use retry_runtime::retry;

#[retry(on_status = [503])]
async fn read(path: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
    Ok(std::fs::read_to_string(path)?)
}

fn main() {}
