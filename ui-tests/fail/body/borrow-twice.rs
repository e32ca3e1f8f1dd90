use retry_runtime::retry;

#[retry]
async fn load(mut list: Vec<u32>) -> Result<u32, String> {
    let first = &mut list;
    let second = &mut list;
    first.push(1);
    second.push(2);
    Ok(1)
}

fn main() {}
