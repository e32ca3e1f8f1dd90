use retry_runtime::retry;

#[retry(on_status = [599..=500, 500..500, 100..100])]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
