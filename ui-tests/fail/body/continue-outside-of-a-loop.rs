use retry_runtime::retry;

#[retry]
async fn load() -> Result<u32, String> {
    if true {
        continue;
    }
    Ok(1)
}

fn main() {}
