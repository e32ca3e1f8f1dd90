use retry_runtime::retry;

#[retry(clone = [id, name, id])]
async fn load(id: String, name: String) -> Result<String, String> {
    Ok(id + &name)
}

fn main() {}
