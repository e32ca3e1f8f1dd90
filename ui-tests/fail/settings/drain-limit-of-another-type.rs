use retry_runtime::retry;

const LIMIT: u32 = 1000;

#[retry(drain_limit = LIMIT)]
async fn fetch(url: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::get(url).await
}

fn main() {}
