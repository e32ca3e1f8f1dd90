use retry_runtime::retry;

struct Client;

impl Client {
    #[retry(sleep = self.timer)]
    async fn load(&self) -> Result<u32, String> {
        Ok(1)
    }
}

fn main() {}
