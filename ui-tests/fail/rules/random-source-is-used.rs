use retry_runtime::retry;

#[retry(start = "1s", random_source = dice)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
