use retry_runtime::retry;

#[retry(budget = "API")]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
