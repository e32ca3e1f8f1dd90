use retry_runtime::retry;

#[retry(server_delay = "5s")]
async fn fetch(url: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::get(url).await
}

fn main() {}
