use retry_runtime::retry;

#[retry(drain_limit = 64u32)]
async fn fetch(url: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::get(url).await
}

fn main() {}
