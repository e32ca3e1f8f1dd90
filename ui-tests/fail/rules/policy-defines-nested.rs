use retry_runtime::retry;

#[retry(policy = POLICY, nested = "once")]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
