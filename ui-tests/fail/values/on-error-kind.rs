use retry_runtime::retry;

#[retry(on_error = true)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
