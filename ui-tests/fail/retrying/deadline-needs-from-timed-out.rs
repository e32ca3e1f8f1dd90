use retry_runtime::retrying;

struct Plain;

async fn call() -> Result<u32, Plain> {
    retrying!(deadline = "5s", async { Err(Plain) }).await
}

async fn typed() -> Result<u32, Plain> {
    retrying!(attempt_timeout = "5s", async || -> Result<u32, Plain> { Err(Plain) }).await
}

async fn inferred(get: impl AsyncFn() -> Result<u32, Plain>) -> Result<u32, Plain> {
    retrying!(deadline = "5s", async { get().await }).await
}

fn main() {}
