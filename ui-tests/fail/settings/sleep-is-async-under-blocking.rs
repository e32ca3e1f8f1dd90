use retry_runtime::retry;

#[retry(blocking, sleep = tokio::time::sleep)]
fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
