use retry_runtime::retry;

fn is_busy(_: &std::io::Error) -> bool {
    true
}

#[retry(on_error = is_busy)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
