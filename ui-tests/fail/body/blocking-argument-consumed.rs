use retry_runtime::retry;

#[retry(blocking)]
fn load(order: String) -> Result<String, String> {
    Ok(order)
}

fn main() {}
