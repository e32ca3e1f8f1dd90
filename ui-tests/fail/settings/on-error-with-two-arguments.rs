use retry_runtime::retry;

#[retry(on_error = |e, n| n > 3)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
