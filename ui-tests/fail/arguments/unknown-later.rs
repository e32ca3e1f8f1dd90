use retry_runtime::retry;

#[retry(colour = BUDGET)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
