use retry_runtime::{Breaker, retrying};

struct Plain;
static BREAKER: Breaker = Breaker::new();

async fn call(get: impl AsyncFn() -> Result<u32, Plain>) -> Result<u32, Plain> {
    retrying!(breaker = BREAKER, async { get().await }).await
}

fn main() {}
