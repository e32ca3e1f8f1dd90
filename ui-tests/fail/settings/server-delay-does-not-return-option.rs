use retry_runtime::retry;

#[retry(server_delay = |_| std::time::Duration::ZERO)]
async fn fetch(url: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::get(url).await
}

fn main() {}
