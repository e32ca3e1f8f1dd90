use retry_runtime::retry;

struct Client;

#[async_trait::async_trait]
trait Load {
    async fn load(&self);
}

#[async_trait::async_trait]
impl Load for Client {
    #[retry]
    async fn load(&self) {}
}

fn main() {}
