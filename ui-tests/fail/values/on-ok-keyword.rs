use retry_runtime::retry;

#[retry(on_ok = "any")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
