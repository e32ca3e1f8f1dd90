use retry_runtime::retry;

struct LoadError;

#[retry]
async fn load() -> Result<u32, LoadError> {
    let number: u32 = "1".parse()?;
    Ok(number)
}

fn main() {}
