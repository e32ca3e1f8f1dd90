use retry_runtime::retry;

#[retry(attempts = 3)]
#[doc = "Loads."]
#[retry_runtime::retry(start = "1s")]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
