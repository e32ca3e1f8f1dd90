use retry_runtime::retry;

fn is_busy(_: &String) -> bool {
    true
}

#[retry(on_error = is_bussy)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
