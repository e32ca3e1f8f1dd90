use retry_runtime::retry;

static API: retry_runtime::Budget = retry_runtime::Budget::new();

#[retry(budget = AIP)]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
