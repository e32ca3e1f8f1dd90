use retry_runtime::{Executor, Policy};

const POLICY: Policy = Policy::new();

use retry_runtime::Condition;

fn judge(retry: &mut Executor, outcome: std::io::Result<u32>) {
    let _ = retry.next(outcome, Condition::new());
}

fn main() {}
