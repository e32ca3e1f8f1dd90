use retry_runtime::retry;

#[retry(backoff = my_backoff, start = "1s", factor = 3)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
