use retry_runtime::retry;

async fn fetch() -> Result<u32, String> {
    Ok(1)
}

#[retry]
async fn load() -> Result<u32, String> {
    fetch()
}

fn main() {}
