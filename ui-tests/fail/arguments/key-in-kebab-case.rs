use retry_runtime::retry;

#[retry(max-delay = "5s", max-retries = 3, on-stats = [503])]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
