use retry_runtime::retry;

#[retry]
async fn load() -> Result<u32, String> {
    break 'outer Ok(1)
}

fn main() {}
