use retry_runtime::{Condition, Policy};

#[deny(unused_must_use)]
fn make(policy: Policy, condition: Condition) {
    policy.attempts(3);
    condition.on_status(&[503..=503]);
}

fn main() {}
