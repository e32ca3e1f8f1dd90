use retry_runtime::retry;

#[retry(hedge_max = 3)]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
