use retry_runtime::retry;

static API: retry_runtime::Budget = retry_runtime::Budget::new();

#[retry(breaker = API)]
async fn load() -> Result<u32, std::io::Error> {
    Ok(7)
}

fn main() {}
