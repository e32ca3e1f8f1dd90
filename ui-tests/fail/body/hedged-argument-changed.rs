use retry_runtime::retry;

#[retry(hedge = "50ms")]
async fn load(mut rows: Vec<u32>) -> Result<usize, String> {
    rows.push(7);
    Ok(rows.len())
}

fn main() {}
