use retry_runtime::retry;

#[retry(on_ok = |n| n.is_positiv())]
async fn load() -> Result<i32, String> {
    Ok(1)
}

fn main() {}
