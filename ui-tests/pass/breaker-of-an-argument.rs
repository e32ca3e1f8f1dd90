use retry_runtime::retry;

#[retry(breaker = breaker)]
async fn load(breaker: &retry_runtime::Breaker) -> Result<u32, std::io::Error> {
    let _ = breaker.state();
    Ok(7)
}

fn main() {}
