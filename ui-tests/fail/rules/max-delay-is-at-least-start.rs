use retry_runtime::retry;

#[retry(start = "10s", max_delay = "5s")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
