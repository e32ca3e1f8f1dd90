use retry_runtime::retry;

#[retry(on_ok = |text: &String| text.is_empty())]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
