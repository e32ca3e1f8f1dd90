use retry_runtime::retry;

#[retry(backoff = |attempt| attempt.number())]
async fn load() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
