use retry_runtime::retrying;

async fn call() -> u32 {
    retrying!(async { 1 }).await
}

fn main() {}
