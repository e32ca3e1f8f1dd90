use retry_runtime::retry;

#[retry(server_delay = |response| response.headers().get("x-reset")?.to_str().ok()?.parse::<u64>().ok())]
async fn fetch(url: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::get(url).await
}

fn main() {}
