use retry_runtime::retry;

#[retry(delays = ["1s"], backoff = "fixed", start = "1s", factor = 2, max_delay = "9s")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
