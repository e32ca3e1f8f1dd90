use retry_runtime::retry;

#[retry(blocking, hedge = "50ms")]
fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
