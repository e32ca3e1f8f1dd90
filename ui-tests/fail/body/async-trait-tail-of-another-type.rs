use retry_runtime::retry;

#[async_trait::async_trait]
trait Load {
    #[retry]
    async fn load(&self) -> Result<u32, String> {
        Some(1)
    }
}

fn main() {}
