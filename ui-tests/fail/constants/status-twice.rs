use retry_runtime::retry;

const BUSY: u16 = 503;

#[retry(on_status = ["5xx", BUSY])]
async fn load() -> reqwest::Result<u32> {
    Ok(1)
}

fn main() {
    drop(load());
}
