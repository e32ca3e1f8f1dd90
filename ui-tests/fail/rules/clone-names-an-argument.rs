use retry_runtime::retry;

#[retry(clone = [nam])]
async fn load(id: String, name: String) -> Result<String, String> {
    Ok(id + &name)
}

fn main() {}
