use retry_runtime::retry;

#[retry(crate = "facade::retry_runtime")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
