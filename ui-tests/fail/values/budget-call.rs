use retry_runtime::retry;

#[retry(budget = Budget::new())]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
