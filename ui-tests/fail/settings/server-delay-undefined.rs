use retry_runtime::retry;

#[retry(server_delay = reset)]
async fn fetch(url: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::get(url).await
}

fn main() {}
