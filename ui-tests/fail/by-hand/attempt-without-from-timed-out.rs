use retry_runtime::{Executor, Policy};

const POLICY: Policy = Policy::new();

struct LoadError;

async fn load() -> Result<u32, LoadError> {
    let mut retry = Executor::new(&POLICY);
    retry.attempt(async { Err(LoadError) }).await
}

fn main() {}
