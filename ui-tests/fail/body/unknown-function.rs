use retry_runtime::retry;

#[retry]
async fn load() -> Result<u32, String> {
    fetch().await
}

fn main() {}
