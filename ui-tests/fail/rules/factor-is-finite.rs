use retry_runtime::retry;

#[retry(factor = 1e999)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
