use retry_runtime::retry;

const SECOND: u64 = 1;

#[retry(delays = ["1s", SECOND])]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
