use retry_runtime::retry;

#[retry(beyond_retry_after = "giveup", within_retry_after = replace)]
async fn load() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
