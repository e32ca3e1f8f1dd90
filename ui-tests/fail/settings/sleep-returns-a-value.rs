use retry_runtime::retry;

async fn wait(_: std::time::Duration) -> u32 {
    3
}

#[retry(sleep = wait)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
