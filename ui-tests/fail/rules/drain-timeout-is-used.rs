use retry_runtime::retry;

#[retry(drain_limit = 0, drain_timeout = "200ms")]
async fn fetch(url: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::get(url).await
}

fn main() {}
