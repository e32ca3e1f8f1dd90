use retry_runtime::retry;

#[retry(on_retry = |_| drop(text))]
async fn load(text: String) -> Result<u32, std::io::Error> {
    Ok(text.len() as u32)
}

fn main() {}
