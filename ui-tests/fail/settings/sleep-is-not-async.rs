use retry_runtime::retry;

#[retry(sleep = std::thread::sleep)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
