use retry_runtime::retry;

fn reset(_: &reqwest::header::HeaderMap) -> Option<std::time::Duration> {
    None
}

#[retry(server_delay = reset)]
async fn fetch(url: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::get(url).await
}

fn main() {}
