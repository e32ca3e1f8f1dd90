use retry_runtime::retry;

fn arc() -> std::sync::Arc<retry_runtime::Policy> {
    panic!()
}

#[retry(policy = &arc())]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
