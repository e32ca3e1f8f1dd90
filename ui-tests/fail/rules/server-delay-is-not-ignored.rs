use retry_runtime::retry;

#[retry(server_delay = reset, retry_after = "ignore")]
async fn fetch(url: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::get(url).await
}

fn main() {}
