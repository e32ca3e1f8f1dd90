use retry_runtime::retry;

#[retry(hedge = "50ms")]
async fn load(url: &str) -> Result<usize, String> {
    if url.is_empty() {
        return Err("empty");
    }
    url.len()
}

fn main() {}
