use retry_runtime::retry;

#[retry(on = [503])]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
