use retry_runtime::retry;

const BUSY: u32 = 503;

#[retry(on_status = [BUSY])]
async fn load() -> reqwest::Result<u32> {
    Ok(1)
}

fn main() {}
