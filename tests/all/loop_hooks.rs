//! Hooks before the waits of hand-written loops and of `Policy::run`.

use std::ops::ControlFlow;

use retry_runtime::event::GiveUp;
use retry_runtime::{Budget, Condition, Executor, Policy};

use crate::support::{FakeResponse, Fault, Recorder, SECOND};

const POLICY: Policy = Policy::exponential(SECOND).attempts(3);

#[test]
fn hook_sees_the_error_the_attempt_and_the_delay_before_the_wait() {
    let mut seen = Vec::new();
    let mut retry = Executor::new(POLICY);
    for _ in 0..3 {
        let pause = retry.pause_with("no", |retrying| {
            seen.push((retrying.error().copied(), retrying.attempt().number(), retrying.delay()));
        });
        drop(pause);
    }
    // Not after the last attempt, because no wait follows it.
    assert_eq!(seen, [(Some("no"), 1, SECOND), (Some("no"), 2, SECOND * 2)]);
}

#[test]
fn line_of_a_hook_names_the_attempt_the_error_and_the_delay_and_masks_secrets() {
    let mut line = String::new();
    let error = "refused by https://user:secret@host/?key=1".to_owned();
    drop(Executor::new(POLICY).pause_with(error, |retrying| line = retrying.to_string()).unwrap());
    assert_eq!(line, "attempt 1 of 3 failed: refused by https://***@host/?***; next attempt in 1s");
}

#[test]
fn hook_can_end_the_call_with_what_failed_or_with_another_error() {
    let (recorder, budget) = (Recorder::new(), Budget::new().capacity(500));
    let executor = || Executor::new(&POLICY).observer(&*recorder).budget(&budget);
    let mut retry = executor();
    assert_eq!(retry.pause_with("no", |_| ControlFlow::Break(())).unwrap_err(), "no");
    assert_eq!(retry.current().number(), 1);
    drop(retry);
    assert_eq!(
        recorder.lines(),
        ["1/3 AttemptFailed { class: Unknown, status: None, reason: no }", "1/3 GaveUp(Stopped)"]
    );
    assert_eq!(executor().pause_with("no", |_| Err("disk full")).unwrap_err(), "disk full");
    drop(executor().pause_with("no", |_| ControlFlow::Continue(())).unwrap());
    drop(executor().pause_with("no", |_| Ok(())).unwrap());
    assert_eq!(budget.tokens(), 500);
}

#[test]
fn tokens_are_returned_if_the_hook_panics() {
    let budget = Budget::new().capacity(500);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut retry = Executor::new(&POLICY).budget(&budget);
        drop(retry.pause_with("no", |_| -> () { panic!("in the hook") }));
    }));
    assert!(panicked.is_err());
    assert_eq!(budget.tokens(), 500);
}

#[test]
fn hook_sees_a_value_that_is_retried() {
    let mut retry = Executor::new(POLICY);
    let mut seen = Vec::new();
    let flow = retry.next_with(FakeResponse(503), &Condition::new(), |retrying| {
        seen.push((retrying.error().is_none(), retrying.value().copied(), retrying.to_string()));
    });
    assert!(flow.is_continue());
    assert_eq!(
        seen,
        [(true, Some(FakeResponse(503)), "attempt 1 of 3 failed: status 503; next attempt in 1s".to_owned())]
    );
    let ended = retry.next_with(Err::<(), _>(Fault::UNKNOWN), &Condition::new(), |_| Err(Fault::PERMANENT));
    assert_eq!(ended.break_value(), Some(Err(Fault::PERMANENT)));
}

#[test]
fn call_that_a_hook_ends_counts_as_stopped() {
    assert_eq!(GiveUp::Stopped.as_str(), "stopped");
}

/// A value that is not ready has not failed.
#[tokio::test(start_paused = true)]
async fn line_of_a_hook_says_that_a_value_is_not_ready() {
    let mut lines = Vec::new();
    let call = POLICY.run(async |_| Ok::<_, std::io::Error>(202)).until(|status| *status == 200);
    call.on_retry(|retrying| lines.push(retrying.to_string())).await.unwrap_err();
    let expected =
        ["attempt 1 of 3: not ready yet; next attempt in 1s", "attempt 2 of 3: not ready yet; next attempt in 2s"];
    assert_eq!(lines, expected);
}
