use retry_runtime::retry;

#[retry]
async fn load((a, _): (String, u32)) -> Result<String, String> {
    Ok(a)
}

fn main() {}
