use retry_runtime::retry;

#[retry(on_retry = "log", until = 3, error_delay = "7s")]
async fn load() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
