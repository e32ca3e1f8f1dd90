use retry_runtime::retry;

#[retry(start = 250ms)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
