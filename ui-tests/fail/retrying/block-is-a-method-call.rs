use retry_runtime::retrying;

async fn call(client: &reqwest::Client, url: &str) -> reqwest::Result<reqwest::Response> {
    retrying!(attempts = 3, client.get(url).send()).await
}

fn main() {}
