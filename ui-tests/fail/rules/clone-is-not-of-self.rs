use retry_runtime::retry;

struct Client;

impl Client {
    #[retry(clone = [self])]
    async fn load(self) -> Result<Self, String> {
        Ok(self)
    }
}

fn main() {}
