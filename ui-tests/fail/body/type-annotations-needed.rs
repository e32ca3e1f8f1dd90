use retry_runtime::retry;

#[retry]
async fn load() -> Result<u32, String> {
    let list = Vec::new();
    Ok(1)
}

fn main() {}
