use retry_runtime::retry;

struct Client {
    name: String,
}

impl Client {
    #[retry]
    async fn load(self) -> Result<String, String> {
        Ok(self.name)
    }
}

fn main() {}
