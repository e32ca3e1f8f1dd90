use retry_runtime::retry;

#[retry(retry_after = ignore)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
