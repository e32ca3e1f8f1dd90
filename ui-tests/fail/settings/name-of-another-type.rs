use retry_runtime::retry;

const NAME: u32 = 503;

#[retry(name = NAME)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
