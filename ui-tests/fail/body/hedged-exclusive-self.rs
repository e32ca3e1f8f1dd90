use retry_runtime::retry;

struct Client {
    calls: u32,
}

impl Client {
    #[retry(hedge = "50ms")]
    async fn load(&mut self) -> Result<u32, String> {
        self.calls += 1;
        Ok(self.calls)
    }
}

fn main() {}
