use retry_runtime::retrying;

async fn call() -> u32 {
    retrying!(async || -> u32 { 1 }).await
}

fn main() {}
