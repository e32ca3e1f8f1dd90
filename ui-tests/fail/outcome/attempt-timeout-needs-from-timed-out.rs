use retry_runtime::retry;

struct LoadError;

#[retry(attempt_timeout = "5s")]
async fn load() -> Result<u32, LoadError> {
    Err(LoadError)
}

fn main() {}
