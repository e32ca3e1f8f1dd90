use retry_runtime::retry;

#[retry(start = "99999999999999999999d")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
