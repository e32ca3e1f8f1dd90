use retry_runtime::retry;

const BUSY: u16 = 9999;

#[retry(on_status = [503, BUSY])]
async fn load() -> reqwest::Result<u32> {
    Ok(1)
}

fn main() {
    drop(load());
}
