use retry_runtime::retry;

struct LoadError;

#[retry(until = |value| *value > 3)]
async fn load() -> Result<u32, LoadError> {
    Ok(1)
}

fn main() {}
