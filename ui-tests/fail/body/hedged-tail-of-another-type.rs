use retry_runtime::retry;

#[retry(hedge = "50ms")]
async fn load(url: &str) -> Result<usize, String> {
    url.len()
}

fn main() {}
