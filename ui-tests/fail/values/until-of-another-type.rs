use retry_runtime::retry;

#[retry(until = |value| value.len())]
async fn load() -> Result<String, std::io::Error> {
    Ok(String::new())
}

#[retry(until = is_done)]
async fn poll() -> Result<String, std::io::Error> {
    Ok(String::new())
}

fn is_done(_: &u32) -> bool {
    true
}

fn main() {}
