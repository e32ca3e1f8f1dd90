use retry_runtime::retry;

#[retry]
async fn load() -> Result<&'static str, String> {
    let text = String::new();
    Ok(&text)
}

fn main() {}
