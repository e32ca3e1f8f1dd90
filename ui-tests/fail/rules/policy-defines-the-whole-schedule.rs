use retry_runtime::retry;

#[retry(policy = POLICY, attempts = 3, on_status = [503], deadline = "1m")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
