use retry_runtime::retry;

#[retry(bind = attempt)]
async fn load() -> Result<u32, String> {
    attempt = 3;
    Ok(attempt.number())
}

fn main() {}
