use retry_runtime::retry;

static API: retry_runtime::Breaker = retry_runtime::Breaker::new();

struct LoadError;

type Loaded = Result<u32, LoadError>;

#[retry(blocking, breaker = API)]
fn load() -> Loaded {
    Err(LoadError)
}

fn main() {}
