use std::error::Error;

use retry_runtime::retry;

#[retry(on_status = [503])]
async fn fetch(client: &reqwest::Client, url: &str) -> Result<reqwest::Response, Box<dyn Error + Send + Sync>> {
    Ok(client.get(url).send().await?)
}

fn main() {}
