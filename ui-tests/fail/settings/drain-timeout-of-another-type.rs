use retry_runtime::retry;

const TIMEOUT: u64 = 200;

#[retry(drain_timeout = TIMEOUT)]
async fn fetch(url: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::get(url).await
}

fn main() {}
