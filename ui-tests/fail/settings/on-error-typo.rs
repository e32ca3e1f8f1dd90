use retry_runtime::retry;

#[retry(on_error = |e| e.is_emty())]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
