use retry_runtime::retry;

#[retry]
async fn load(items: &mut Vec<u32>) -> Result<&mut u32, String> {
    Ok(items.first_mut().unwrap())
}

fn main() {}
