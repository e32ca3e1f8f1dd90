use retry_runtime::retry;

#[retry(sleep = wait)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
