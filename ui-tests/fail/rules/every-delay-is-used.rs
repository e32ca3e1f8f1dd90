use retry_runtime::retry;

#[retry(delays = ["1s", "2s", "3s"], attempts = 3)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
