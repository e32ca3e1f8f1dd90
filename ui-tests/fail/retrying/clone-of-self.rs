use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

struct Client;

impl Client {
    async fn call(&self) -> Result<u32, String> {
        retrying!(clone = [self], async { get().await }).await
    }
}

fn main() {}
