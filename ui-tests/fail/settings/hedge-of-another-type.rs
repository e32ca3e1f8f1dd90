use retry_runtime::retry;

const LATE: u64 = 50;

#[retry(hedge = LATE)]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
