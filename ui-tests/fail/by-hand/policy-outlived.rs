use retry_runtime::{Executor, Policy};

const POLICY: Policy = Policy::new();

fn make() -> Executor<retry_runtime::executor::ManualCall<'static>> {
    Executor::new(&Policy::new().attempts(std::process::id()))
}

fn main() {}
