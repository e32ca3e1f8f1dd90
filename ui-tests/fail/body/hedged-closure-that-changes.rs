use retry_runtime::retry;

#[retry(hedge = "50ms")]
async fn load(mut next: impl FnMut() -> u32) -> Result<u32, String> {
    Ok(next())
}

fn main() {}
