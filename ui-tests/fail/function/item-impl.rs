use retry_runtime::retry;

struct Client;

#[retry]
impl Client {
    async fn load() -> Result<u32, String> {
        Ok(1)
    }
}

fn main() {}

// https://github.com/tokio-rs/tracing/issues/2852
