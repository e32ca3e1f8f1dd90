use retry_runtime::retry;

#[retry(blocking)]
fn load() -> Result<u32, String> {
    Some(1)
}

fn main() {}
