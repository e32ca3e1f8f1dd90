use retry_runtime::retry;

const API: retry_runtime::Budget = retry_runtime::Budget::new();

#[retry(budget = API)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
