use retry_runtime::retry;

#[retry(policy = self.policy)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
