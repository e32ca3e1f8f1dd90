use retry_runtime::retry;

#[retry(deadline = "1s", delays = ["2s", "1s"])]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
