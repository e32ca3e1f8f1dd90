use retry_runtime::retry;

#[retry]
async fn load(count: u32) -> Result<u32, String> {
    count += 1;
    Ok(count)
}

fn main() {}
