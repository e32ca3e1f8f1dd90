use retry_runtime::retry;

const LATE: std::time::Duration = std::time::Duration::ZERO;

#[retry(hedge = LATE)]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {
    drop(load());
}
