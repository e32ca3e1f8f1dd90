//! Attempts that are cut off by a time limit of an outer call.

use std::future::pending;
use std::io;

use retry_runtime::breaker::BreakerState;
use retry_runtime::{Breaker, Policy, retry};

use super::opens_after_two;
use crate::support::{Attempts, SECOND, ms};

/// Makes four calls under the policy `$around` to an annotated function that hangs. Returns the number of attempts: the
/// breaker rejects the rest.
macro_rules! attempts_in_four_calls {
    ($around:expr, ($($arguments:tt)*)) => {{
        static BREAKER: Breaker = opens_after_two();

        #[retry(breaker = BREAKER, $($arguments)*)]
        async fn call(attempts: &Attempts) -> io::Result<()> {
            attempts.start();
            pending().await
        }
        let attempts = Attempts::new();
        for _ in 0..4 {
            $around.run(|_| call(&attempts)).await.unwrap_err();
        }
        attempts.count()
    }};
}

#[tokio::test(start_paused = true)]
async fn attempt_that_hangs_counts_as_a_failure() {
    let around = Policy::new().attempts(1);
    assert_eq!(attempts_in_four_calls!(around.deadline(SECOND), (attempts = 1)), 2);
    assert_eq!(attempts_in_four_calls!(around.deadline(SECOND), (start = "1s")), 2);
    assert_eq!(attempts_in_four_calls!(around.deadline(SECOND), (attempts = 1, attempt_timeout = "1m")), 2);
    assert_eq!(attempts_in_four_calls!(around.attempt_timeout(SECOND), (attempts = 1)), 2);
    // Both copies count as failures, so the first call opens the breaker.
    assert_eq!(attempts_in_four_calls!(around.deadline(SECOND), (attempts = 1, hedge = "50ms")), 2);
}

#[tokio::test(start_paused = true)]
async fn attempt_that_hangs_counts_below_an_intermediate_call() {
    static BREAKER: Breaker = opens_after_two();

    #[retry(breaker = BREAKER, attempts = 1)]
    async fn inner() -> io::Result<()> {
        pending().await
    }
    #[retry(attempts = 1)]
    async fn between() -> io::Result<()> {
        inner().await
    }
    #[retry(attempts = 1, deadline = "1s")]
    async fn outer() -> io::Result<()> {
        between().await
    }
    for _ in 0..2 {
        outer().await.unwrap_err();
    }
    assert_eq!(BREAKER.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn attempt_dropped_before_the_time_limit_does_not_count() {
    static BREAKER: Breaker = opens_after_two();

    #[retry(breaker = BREAKER, attempts = 1)]
    async fn call() -> io::Result<()> {
        pending().await
    }
    let around = Policy::new().attempts(1).deadline(SECOND);
    for _ in 0..9 {
        tokio::time::timeout(ms(10), around.run(|_| call())).await.unwrap_err();
    }
    assert_eq!(BREAKER.state(), BreakerState::Closed);
}
