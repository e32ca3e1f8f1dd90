use retry_runtime::retry;

#[retry(on_status = ["6xx", "5x", "500..=599"])]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
