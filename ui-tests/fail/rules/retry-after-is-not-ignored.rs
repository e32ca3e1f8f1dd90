use retry_runtime::retry;

#[retry(retry_after = "ignore", beyond_retry_after = "wait")]
async fn beyond() -> Result<(), std::io::Error> {
    Ok(())
}

#[retry(within_retry_after = "replace", retry_after = "ignore")]
async fn within() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
