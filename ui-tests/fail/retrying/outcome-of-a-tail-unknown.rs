use retry_runtime::retrying;

async fn call() -> Result<u32, String> {
    retrying!(async { Ok(1) }).await
}

fn main() {}
