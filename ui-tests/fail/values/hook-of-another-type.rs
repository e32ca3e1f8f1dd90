use retry_runtime::retry;

#[retry(on_retry = |retrying| retrying.delay())]
async fn load() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[retry(on_retry = |error, delay| println!("{error} {delay:?}"))]
async fn read() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[retry(on_retry = |_| Err("no"))]
async fn write() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
