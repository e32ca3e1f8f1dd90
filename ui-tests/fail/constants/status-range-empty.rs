use retry_runtime::retry;

const LAST: u16 = 500;

#[retry(on_status = [503, 510..=LAST])]
async fn load() -> reqwest::Result<u32> {
    Ok(1)
}

fn main() {
    drop(load());
}
