use retry_runtime::retry;

#[retry(blocking = true)]
fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
