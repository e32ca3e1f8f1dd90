use retry_runtime::retry;

async fn wait(_: u64) {}

#[retry(sleep = wait)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
