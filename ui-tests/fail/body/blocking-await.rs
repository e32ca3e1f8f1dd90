use retry_runtime::retry;

#[retry(blocking)]
fn load() -> Result<u32, String> {
    std::future::ready(()).await;
    Ok(1)
}

fn main() {}
