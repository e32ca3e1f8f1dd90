use retry_runtime::retry;

#[retry(on_error = |e: String| e.is_empty())]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
