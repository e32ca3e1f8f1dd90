use retry_runtime::retry;

#[retry(on_status = [500.., ..600, 500..LAST])]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
