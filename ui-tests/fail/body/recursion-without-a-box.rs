use retry_runtime::retry;

#[retry]
async fn load(n: u32) -> Result<u32, String> {
    if n == 0 { Ok(0) } else { load(n - 1).await }
}

fn main() {}
