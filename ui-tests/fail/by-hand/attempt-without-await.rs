use retry_runtime::{Executor, Policy};

const POLICY: Policy = Policy::new();

#[deny(unused_must_use)]
async fn load() {
    let mut retry = Executor::new(&POLICY);
    retry.attempt(async { Ok::<u32, String>(1) });
}

fn main() {}
