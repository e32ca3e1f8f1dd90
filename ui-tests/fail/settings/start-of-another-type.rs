use retry_runtime::retry;

const START: u64 = 3;

#[retry(start = START)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
