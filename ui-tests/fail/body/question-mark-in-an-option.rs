use retry_runtime::retry;

#[retry]
async fn load() -> Option<u32> {
    let number: u32 = "1".parse()?;
    Some(number)
}

fn main() {}
