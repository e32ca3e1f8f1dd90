use retry_runtime::retry;

#[retry(nested = 1)]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
