use retry_runtime::retry;

#[retry(hedge = "50ms")]
async fn load(url: String) -> Result<usize, String> {
    let length = async move { url.len() };
    Ok(length.await)
}

fn main() {}
