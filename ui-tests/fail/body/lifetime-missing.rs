use retry_runtime::retry;

#[retry]
async fn load(one: &str, two: &str) -> Result<&str, String> {
    Ok(one)
}

fn main() {}
