use retry_runtime::retry;

static API: retry_runtime::Breaker = retry_runtime::Breaker::new();

struct LoadError;

#[retry(breaker = API, hedge = "50ms", deadline = "1s")]
async fn load() -> Result<u32, LoadError> {
    Err(LoadError)
}

fn main() {}
