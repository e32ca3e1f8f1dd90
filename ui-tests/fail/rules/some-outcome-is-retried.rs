use retry_runtime::retry;

#[retry(on_status = [], on_error = "never")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
