use retry_runtime::retry;

#[retry(delays = ["1x", "1", "", "-1s", "1min", "1 s", "s", ".5s", "0.5ns"])]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
