use retry_runtime::retry;

const MOST: usize = 3;

#[retry(hedge = "50ms", hedge_max = MOST)]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
