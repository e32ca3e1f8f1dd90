use retry_runtime::retry;

#[retry(bind = "attempt")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
