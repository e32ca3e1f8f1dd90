use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call(budget: retry_runtime::Budget) -> Result<u32, String> {
    retrying!(budget = budget, async { get().await }).await
}

fn main() {}
