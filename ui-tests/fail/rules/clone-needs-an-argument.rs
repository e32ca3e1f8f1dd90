use retry_runtime::retry;

#[retry(clone = [id])]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
