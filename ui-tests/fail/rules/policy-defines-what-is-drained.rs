use retry_runtime::retry;

#[retry(policy = POLICY, drain_limit = 1000, drain_timeout = "200ms")]
async fn fetch(url: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::get(url).await
}

fn main() {}
