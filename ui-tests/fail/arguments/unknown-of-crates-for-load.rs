use retry_runtime::retry;

#[retry(
    circuit_breaker = API,
    hedging_delay = "50ms",
    max_hedges = 2,
    nested_once = true,
    token_bucket = API
)]
async fn load() -> Result<u32, String> {
    Ok(7)
}

fn main() {}
