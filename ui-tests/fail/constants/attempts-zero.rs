use retry_runtime::retry;

struct Client;

impl Client {
    const ZERO: u32 = 0;

    #[retry(attempts = Self::ZERO)]
    async fn load(&self) -> Result<u32, String> {
        Ok(1)
    }
}

fn main() {
    drop(Client.load());
}
