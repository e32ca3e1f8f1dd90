use retry_runtime::retry;

#[retry(attempts = 1, drain_limit = 1000, drain_timeout = "200ms", server_delay = reset)]
async fn fetch(url: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::get(url).await
}

fn main() {}
