use retry_runtime::retry;

type Result<T> = std::result::Result<T, String>;

#[retry(on_status = ["5xx"])]
async fn load() -> Result<Vec<u32>> {
    Ok(vec![])
}

fn main() {}
