use retry_runtime::retry;

#[retry(factor = 2f32)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
