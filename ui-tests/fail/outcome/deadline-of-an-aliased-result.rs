use retry_runtime::retry;

struct LoadError;
type Result<T> = std::result::Result<T, LoadError>;

#[retry(deadline = "5s")]
async fn load() -> Result<u32> {
    Err(LoadError)
}

fn main() {}
