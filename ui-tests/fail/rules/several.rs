use retry_runtime::retry;

#[retry(attempts = 0, backof = "fixed", start = 5, on_status = [999], jitter = "ful", attempts = 2)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
