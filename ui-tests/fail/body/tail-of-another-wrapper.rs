use retry_runtime::retry;

#[retry]
async fn load() -> Result<u32, String> {
    Some(1)
}

fn main() {}

// https://github.com/tokio-rs/tracing/issues/2270
