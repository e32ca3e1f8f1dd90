use retry_runtime::retry;

#[retry(on_error = |e| e.len())]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
