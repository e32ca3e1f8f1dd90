//! `Display` and `Debug` of policies.

use std::time::Duration;

use retry_runtime::Policy;

use super::{BILLING, hour};
use crate::support::SECOND;

/// Missing limits appear as `None` or "unlimited".
#[test]
fn debug_is_readable() {
    let debug = format!("{:?}", Policy::exponential(SECOND).unlimited());
    for words in
        ["attempts: \"unlimited\"", "max_delay: None", "deadline: None", "budget: false", "retry_after: Some(60s)"]
    {
        assert!(debug.contains(words), "{debug}");
    }
    let debug = format!("{BILLING:?}");
    for words in ["attempts: 5", "backoff: Fixed(1s)", "deadline: Some(60s)", "budget: true", "nested: Always"] {
        assert!(debug.contains(words), "{debug}");
    }
    assert!(format!("{:?}", Policy::new()).contains("max_delay: Some(30s)"));
}

#[test]
fn display_is_one_line() {
    let seconds: &[Duration] = const { &[SECOND; 7] };
    for (policy, line) in [
        (Policy::delays(seconds), "8 attempts, delays [1s, 1s, 1s, 1s, 1s, …]"),
        (Policy::custom(hour).unlimited(), "unlimited attempts, a backoff of its own"),
        (
            Policy::fixed(Duration::ZERO).nested(retry_runtime::Nested::Once).drain_limit(0),
            "3 attempts, fixed 0ns, no bodies read, nested once",
        ),
        (BILLING.attempts(1), "1 attempt, deadline 1m"),
    ] {
        assert_eq!(policy.to_string(), line);
    }
}
