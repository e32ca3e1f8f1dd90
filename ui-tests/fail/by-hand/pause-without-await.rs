use retry_runtime::{Executor, Policy};

const POLICY: Policy = Policy::new();

#[deny(unused_must_use)]
async fn load() -> Result<u32, String> {
    let mut retry = Executor::new(&POLICY);
    retry.pause(String::from("busy"))?;
    Ok(1)
}

fn main() {}
