use retry_runtime::retry;

static API: u32 = 500;

#[retry(budget = API)]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
