use retry_runtime::retry;

static API_BREAKER: retry_runtime::Breaker = retry_runtime::Breaker::new();

#[retry(breaker = API)]
async fn load() -> Result<u32, std::io::Error> {
    Ok(7)
}

fn main() {}
