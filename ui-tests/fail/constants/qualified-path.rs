use retry_runtime::retry;

trait Limits {
    const ATTEMPTS: u32;
}

impl Limits for u32 {
    const ATTEMPTS: u32 = 0;
}

#[retry(attempts = <u32 as Limits>::ATTEMPTS)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {
    drop(load());
}
