use retry_runtime::retry;

struct Client(Vec<u32>);

impl Client {
    #[retry(hedge = "50ms")]
    async fn load(&mut self) -> Result<u32, String> {
        read(&mut self.0).await
    }
}

async fn read(rows: &mut Vec<u32>) -> Result<u32, String> {
    rows.pop().ok_or_else(String::new)
}

fn main() {}
