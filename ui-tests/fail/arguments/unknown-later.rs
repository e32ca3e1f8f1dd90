use retry_runtime::retry;

#[retry(budget = BUDGET)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
