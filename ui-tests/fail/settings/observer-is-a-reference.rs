use retry_runtime::retry;

static LISTENER: u32 = 3;

#[retry(observer = &LISTENER)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
