use retry_runtime::retry;

#[retry(blocking, attempt_timeout = "1s")]
fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
