use retry_runtime::retry;

struct Order(String);

impl Order {
    #[retry]
    async fn push(self) -> Result<String, String> {
        Ok(self.0)
    }
}

fn main() {}
