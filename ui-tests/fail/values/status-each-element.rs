use retry_runtime::retry;

#[retry(on_status = [999, 503, "a", 5xx, "503", 503i32, true])]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
