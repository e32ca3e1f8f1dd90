use retry_runtime::retry;

#[retry(drain_timeout = "200ms", drain_limit = 0)]
async fn fetch(url: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::get(url).await
}

fn main() {}
