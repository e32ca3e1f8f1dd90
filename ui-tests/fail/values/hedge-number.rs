use retry_runtime::retry;

#[retry(hedge = 50)]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
