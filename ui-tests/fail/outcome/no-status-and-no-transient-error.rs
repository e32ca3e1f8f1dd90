use retry_runtime::retry;

#[retry(on_status = [])]
async fn store() -> Result<(), String> {
    Ok(())
}

#[retry(on_status = [])]
async fn fetch() -> Result<reqwest::Response, String> {
    reqwest::get("http://localhost").await.map_err(|error| error.to_string())
}

fn main() {}
