use retry_runtime::retry;

#[retry(crate = retry_runtim)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
