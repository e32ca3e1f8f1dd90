use retry_runtime::retry;

#[retry[attempts = 3]]
async fn brackets() -> Result<u32, String> {
    Ok(1)
}

#[retry { attempts = 3 }]
async fn braces() -> Result<u32, String> {
    Ok(1)
}

fn main() {
    drop(brackets());
    drop(braces());
}
