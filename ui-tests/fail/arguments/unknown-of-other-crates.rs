use retry_runtime::retry;

#[retry(
    retries = 3,
    delay = "1s",
    timeout = "5s",
    multiplier = 2,
    statuses = [503],
    retry_if = String::is_empty
)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
