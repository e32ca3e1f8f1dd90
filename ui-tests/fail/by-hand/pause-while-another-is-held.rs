use retry_runtime::{Executor, Policy};

const POLICY: Policy = Policy::new();

async fn load() -> Result<u32, String> {
    let mut retry = Executor::new(&POLICY);
    let first = retry.pause(String::from("busy"))?;
    let second = retry.pause(String::from("busy"))?;
    first.await;
    second.await;
    Ok(1)
}

fn main() {}
