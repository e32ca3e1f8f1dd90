use retry_runtime::retry;

struct Listener;

#[retry(observer = Listener)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
