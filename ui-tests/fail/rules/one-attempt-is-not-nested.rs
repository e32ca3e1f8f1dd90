use retry_runtime::retry;

#[retry(attempts = 1, nested = "once")]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
