use retry_runtime::retry;

#[retry(policy = POLICY)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
