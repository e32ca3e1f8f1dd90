use retry_runtime::retry;

const HALF: f64 = 0.5;

#[retry(factor = HALF)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {
    drop(load());
}
