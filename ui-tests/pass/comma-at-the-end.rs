use retry_runtime::retry;

#[retry(
    attempts = 3,
    delays = ["1s", "2s",],
    on_status = [429, 500..=599,],
)]
async fn load() -> reqwest::Result<u32> {
    Ok(1)
}

#[retry(clone = [id,],)]
async fn find(id: String) -> Option<String> {
    Some(id)
}

fn main() {
    drop(load());
    drop(find(String::new()));
}
