use retry_runtime::retry;

#[retry(attempts = 1, on_retry = |_| {}, error_delay = |_| None)]
async fn load() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
