use retry_runtime::retry;

#[retry(blocking)]
#[track_caller]
fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
