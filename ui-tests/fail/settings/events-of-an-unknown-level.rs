use retry_runtime::retry;

#[retry(events = "warn")]
async fn load() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
