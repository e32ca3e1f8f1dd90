use retry_runtime::Policy;
use retry_runtime::policy::BeyondRetryAfter;

const POLICY: Policy = Policy::new().beyond_retry_after(BeyondRetryAfter::Wait).ignore_retry_after();

fn main() {
    let _ = POLICY;
}
