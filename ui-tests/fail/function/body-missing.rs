use retry_runtime::retry;

trait Load {
    #[retry]
    async fn load(&self) -> Result<u32, String>;
}

fn main() {}

// https://github.com/tokio-rs/tracing/issues/3179
