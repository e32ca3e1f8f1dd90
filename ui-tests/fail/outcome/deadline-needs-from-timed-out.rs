use retry_runtime::retry;

struct LoadError;

#[retry(deadline = "5s")]
async fn load() -> Result<u32, LoadError> {
    Err(LoadError)
}

fn main() {}
