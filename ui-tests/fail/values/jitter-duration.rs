use retry_runtime::retry;

#[retry(jitter = "500ms")]
async fn without_a_sign() -> Result<(), std::io::Error> {
    Ok(())
}

#[retry(jitter = "+0s")]
async fn of_zero() -> Result<(), std::io::Error> {
    Ok(())
}

#[retry(jitter = "+500")]
async fn without_a_unit() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
