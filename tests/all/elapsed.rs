//! The time since the start of a call, as `Attempt::elapsed` returns it in loops without a deadline, whose clock starts late.

use std::time::Duration;

use retry_runtime::{Executor, Policy};
use tokio::time::{advance, sleep};

use crate::support::{Fault, SECOND};

const POLICY: Policy = Policy::fixed(SECOND).attempts(3);

async fn fails_after(time: Duration) -> Result<(), &'static str> {
    sleep(time).await;
    Err("no")
}

#[tokio::test(start_paused = true)]
async fn waits_of_attempts_and_pauses_count() {
    let mut retry = Executor::new(&POLICY);
    let error = retry.attempt_to_end(fails_after(SECOND * 5)).await.unwrap_err();
    assert_eq!(retry.current().elapsed(), SECOND * 5);
    retry.pause(error).unwrap().await;
    assert_eq!(retry.current().elapsed(), SECOND * 6);
}

#[tokio::test(start_paused = true)]
async fn attempt_taken_before_the_first_one_starts_counts_from_then_on() {
    let mut retry = Executor::new(&POLICY);
    let first = retry.current();
    retry.attempt_to_end(fails_after(SECOND * 5)).await.unwrap_err();
    assert_eq!(first.elapsed(), SECOND * 5);
}

#[tokio::test(start_paused = true)]
async fn first_attempt_that_fails_at_once_starts_the_clock() {
    let mut retry = Executor::new(&POLICY);
    let error = retry.attempt_to_end(async { Err::<(), _>("no") }).await.unwrap_err();
    retry.pause(error).unwrap().await;
    assert_eq!(retry.current().elapsed(), SECOND);
}

/// Without a deadline it may not count: whether it does depends on the sinks that other tests install.
#[tokio::test(start_paused = true)]
async fn time_before_the_first_attempt_counts_with_a_deadline() {
    let policy = POLICY.deadline(SECOND * 9);
    let mut retry = Executor::new(&policy);
    advance(SECOND * 2).await;
    retry.attempt_to_end(async { Err::<(), _>("no") }).await.unwrap_err();
    assert_eq!(retry.current().elapsed(), SECOND * 2);
}

/// A blocking attempt waits without being pending.
#[tokio::test(start_paused = true)]
async fn clock_starts_with_the_first_blocking_attempt() {
    let mut retry = Executor::new(&POLICY);
    retry.attempt_blocking(|| Err::<(), _>("no")).unwrap_err();
    advance(SECOND * 2).await;
    assert_eq!(retry.current().elapsed(), SECOND * 2);
}

/// Each attempt is handed out, so the clock always runs.
#[tokio::test(start_paused = true)]
async fn policy_run_counts_in_the_first_attempt_too() {
    let outcome = POLICY
        .run(|attempt| async move {
            sleep(SECOND * 5).await;
            assert_eq!(attempt.elapsed(), SECOND * 5 + SECOND * 6 * (attempt.number() - 1));
            if attempt.is_last() { Ok(()) } else { Err(Fault::TRANSIENT) }
        })
        .await;
    assert_eq!(outcome, Ok(()));
}
