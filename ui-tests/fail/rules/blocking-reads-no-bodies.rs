use retry_runtime::retry;

#[retry(blocking, drain_limit = 1000, drain_timeout = "200ms")]
fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
