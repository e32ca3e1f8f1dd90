use retry_runtime::{Executor, Policy};

const POLICY: Policy = Policy::new();

use retry_runtime::Condition;

struct LoadError;

fn judge(retry: &mut Executor, outcome: Result<u32, LoadError>) {
    let _ = retry.next(outcome, &Condition::new());
}

fn main() {}
