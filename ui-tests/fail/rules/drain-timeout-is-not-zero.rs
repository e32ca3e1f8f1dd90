use retry_runtime::retry;

#[retry(drain_timeout = "0s")]
async fn fetch(url: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::get(url).await
}

fn main() {}
