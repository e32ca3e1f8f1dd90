//! Loops written by hand with an [`Executor`].

use std::cell::RefCell;
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use retry_runtime::{Class, Condition, Executor, Failure, OnError, Policy, Retryable, verdict};
use tokio::time::Instant;

use crate::support::{Attempts, FakeResponse, Fault, Recorder, SECOND, all_ms, ms, recorded_sleep, timed};

const POLICY: Policy = Policy::exponential(SECOND).attempts(3);

/// The loop shown in the guide.
async fn push(attempts: &Attempts, succeed_at: u32, error: Fault) -> Result<u32, Fault> {
    let mut retry = Executor::new(&POLICY).name("push");
    loop {
        match retry.attempt(async { attempts.succeed_at(succeed_at, error) }).await {
            Ok(number) => break Ok(retry.succeed(number)),
            Err(error) if error.is_unknown() => retry.pause(error)?.await,
            Err(error) => break Err(retry.fail(error)),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn loop_waits_and_retries_until_it_succeeds() {
    let attempts = Attempts::new();
    assert_eq!(push(&attempts, 3, Fault::UNKNOWN).await, Ok(3));
    assert_eq!(attempts.delays(), all_ms([1000, 2000]));
}

#[tokio::test(start_paused = true)]
async fn error_is_returned_when_no_attempt_is_left() {
    let attempts = Attempts::new();
    assert_eq!(timed(push(&attempts, 9, Fault::UNKNOWN)).await, (Err(Fault::UNKNOWN), SECOND * 3));
    assert_eq!(attempts.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn error_passed_to_fail_is_returned() {
    let attempts = Attempts::new();
    assert_eq!(push(&attempts, 9, Fault::PERMANENT).await, Err(Fault::PERMANENT));
    assert_eq!(attempts.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn loop_emits_the_same_events_as_an_annotated_function() {
    #[retry_runtime::retry(attempts = 3, start = "1s", observer = recorder)]
    async fn annotated(recorder: &Recorder, attempts: &Attempts, at: u32) -> Result<u32, Fault> {
        attempts.succeed_at(at, Fault::status(503))
    }
    async fn manual(recorder: &Recorder, attempts: &Attempts, at: u32) -> Result<u32, Fault> {
        let mut retry = Executor::new(&POLICY).observer(recorder);
        loop {
            let outcome = retry.attempt(async { attempts.succeed_at(at, Fault::status(503)) }).await;
            match retry.next(outcome, &Condition::new()) {
                ControlFlow::Break(outcome) => break outcome,
                ControlFlow::Continue(pause) => pause.await,
            }
        }
    }
    for at in [1, 3, 9] {
        let (one, other) = (Recorder::new(), Recorder::new());
        let outcome = annotated(&one, &Attempts::new(), at).await;
        assert_eq!(manual(&other, &Attempts::new(), at).await, outcome);
        assert_eq!(one.lines(), other.lines());
        assert_eq!(one.elapsed(), other.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn name_appears_in_the_events() {
    let recorder = Recorder::new();
    let mut retry = Executor::new(&POLICY).name("custom").observer(&*recorder);
    retry.attempt_to_end(async {}).await;
    retry.succeed(());
    let mut unnamed = Executor::new(&POLICY).observer(&*recorder);
    unnamed.succeed(());
    assert_eq!(recorder.names(), ["custom", "custom", "retry"]);
}

#[tokio::test(start_paused = true)]
async fn pause_for_respects_the_server_delay() {
    let recorder = Recorder::new();
    let asks = |delay| Failure::new(Class::Transient).with_server_delay(delay);
    let mut retry = Executor::new(&POLICY).observer(&*recorder);
    let pause = retry.pause_for("no", asks(SECOND * 9)).unwrap();
    assert_eq!(pause.delay(), SECOND * 9);
    pause.await;
    assert_eq!(retry.pause_for("no", asks(ms(1))).unwrap().delay(), SECOND * 2);
    let mut other = Executor::new(&POLICY).observer(&*recorder);
    assert_eq!(other.pause_for("no", asks(SECOND * 61)).unwrap_err(), "no");
    assert_eq!(recorder.lines().last().unwrap(), "1/3 GaveUp(ServerDelay(61s))");
}

/// The loop reports a success first, and then a failure of the same attempt.
#[tokio::test(start_paused = true)]
async fn pause_after_a_success_emits_the_failure_and_the_wait() {
    let recorder = Recorder::new();
    let mut retry = Executor::new(&POLICY).observer(&*recorder);
    let value = retry.attempt_to_end(async { 1 }).await;
    retry.succeed(value);
    retry.pause("not good enough").unwrap().await;
    let value = retry.attempt_to_end(async { 2 }).await;
    retry.succeed(value);
    drop(retry);
    assert_eq!(
        recorder.lines(),
        [
            "1/3 AttemptStarted",
            "1/3 Succeeded",
            "1/3 AttemptFailed { class: Unknown, status: None, reason: not good enough }",
            "1/3 Waiting { delay: 1s, source: Backoff }",
            "2/3 AttemptStarted",
            "2/3 Succeeded",
        ]
    );
}

/// A call ends once. Later reports that lead to no further attempt emit nothing.
#[tokio::test(start_paused = true)]
async fn no_event_is_emitted_after_the_end_of_a_call() {
    let recorder = Recorder::new();
    let mut retry = Executor::new(&POLICY).observer(&*recorder);
    retry.attempt_to_end(async {}).await;
    retry.succeed(());
    retry.succeed(());
    retry.fail("no");
    drop(retry);
    assert_eq!(recorder.lines(), ["1/3 AttemptStarted", "1/3 Succeeded"]);
    let once = POLICY.attempts(1);
    let mut retry = Executor::new(&once).observer(&*recorder);
    retry.attempt_to_end(async {}).await;
    let error = retry.pause("no").unwrap_err();
    retry.fail(error);
    retry.pause(error).unwrap_err();
    drop(retry);
    assert_eq!(recorder.lines()[2..], ["1/1 GaveUp(Exhausted)"]);
}

#[tokio::test(start_paused = true)]
async fn pause_starts_with_its_first_poll() {
    let mut retry = Executor::new(&POLICY);
    let pause = retry.pause("no").unwrap();
    tokio::time::sleep(SECOND * 5).await;
    let start = Instant::now();
    pause.await;
    assert_eq!(start.elapsed(), SECOND);
}

/// `next`, with a condition and with a verdict.
mod next {
    use super::*;

    fn retries<O: retry_runtime::outcome::Outcome>(outcome: O, condition: Condition) -> bool {
        Executor::new(&POLICY).next(outcome, &condition).is_continue()
    }

    #[test]
    fn condition_accepts_outcomes_that_classify_themselves() {
        let standard = Condition::new();
        assert!(retries(Err::<(), _>(Fault::UNKNOWN), standard));
        assert!(!retries(Err::<(), _>(Fault::PERMANENT), standard));
        assert!(!retries(Ok::<_, Fault>(()), standard));
        assert!(retries(None::<u32>, standard) && !retries(Some(1), standard));
        assert!(retries(FakeResponse(503), standard) && !retries(FakeResponse(404), standard));
        assert!(!retries(Err::<(), _>(Fault::UNKNOWN), standard.on_error(OnError::Transient)));
        assert!(retries(FakeResponse(404), standard.on_status(const { &[404..=404] })));
        assert!(!retries(Err::<(), _>(Fault::TRANSIENT), standard.for_method("POST")));
    }

    #[tokio::test(start_paused = true)]
    async fn verdict_accepts_any_outcome() {
        async fn load(attempts: &Attempts) -> anyhow::Result<u32> {
            let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
            let mut retry = Executor::new(&POLICY);
            loop {
                let outcome: anyhow::Result<u32> =
                    retry.attempt(async { Ok(attempts.succeed_at(3, refused())?) }).await;
                let verdict = verdict!(&outcome, Condition::new().on_error(OnError::Transient));
                match retry.next(outcome, verdict) {
                    ControlFlow::Break(outcome) => break outcome,
                    ControlFlow::Continue(pause) => pause.await,
                }
            }
        }
        let attempts = Attempts::new();
        assert_eq!(load(&attempts).await.unwrap(), 3);
        assert_eq!(attempts.delays(), all_ms([1000, 2000]));
    }

    #[test]
    fn outcome_is_returned_unchanged() {
        let mut retry = Executor::new(&POLICY);
        let ControlFlow::Break(outcome) = retry.next(Err::<(), _>(Fault::PERMANENT), &Condition::new()) else {
            panic!("a permanent failure ends the call")
        };
        assert_eq!(outcome, Err(Fault::PERMANENT));
    }

    #[test]
    fn next_respects_the_server_delay() {
        let mut retry = Executor::new(&POLICY);
        let busy = Err::<(), _>(Fault::status(429).after(SECOND * 20));
        let ControlFlow::Continue(pause) = retry.next(busy, &Condition::new()) else { panic!("429 is retried") };
        assert_eq!(pause.delay(), SECOND * 20);
        pause.block_with(|_| ());
        let failure = retry.current().last_failure().unwrap();
        assert_eq!((failure.class(), failure.status()), (Class::Transient, Some(429)));
    }
}

#[tokio::test(start_paused = true)]
async fn current_returns_the_running_or_the_next_attempt() {
    let policy = POLICY.deadline(SECOND * 9);
    let mut retry = Executor::new(&policy);
    let first = retry.current();
    assert_eq!((first.number(), first.attempts(), first.is_last()), (1, Some(3), false));
    assert_eq!((first.elapsed(), first.remaining()), (Duration::ZERO, Some(SECOND * 9)));
    assert!(first.last_failure().is_none());
    retry.pause("no").unwrap().await;
    retry.pause("no").unwrap().await;
    let third = retry.current();
    assert_eq!((third.number(), third.is_last()), (3, true));
    assert_eq!((third.elapsed(), third.remaining()), (SECOND * 3, Some(SECOND * 6)));
    assert_eq!(third.last_failure().map(|failure| failure.class()), Some(Class::Unknown));
}

#[test]
fn pick_selects_by_attempt_and_repeats_the_last() {
    let policy = Policy::fixed(SECOND).attempts(4);
    let mut retry = Executor::new(&policy);
    let mut picked = vec![retry.current().pick(&["one", "two"])];
    while let Ok(pause) = retry.pause("no") {
        pause.block_with(|_| ());
        picked.push(retry.current().pick(&["one", "two"]));
    }
    assert_eq!(picked, ["one", "two", "two", "two"]);
}

#[tokio::test]
async fn sleep_accepts_an_async_function() {
    let recorder = Recorder::new();
    let mut retry = Executor::new(&POLICY).sleep(recorded_sleep);
    recorder.record_sleeps(async { retry.pause("no").unwrap().await }).await;
    assert_eq!(recorder.slept(), [SECOND]);
}

#[tokio::test]
async fn sleep_accepts_a_closure() {
    let slept = RefCell::new(Vec::new());
    let mut retry = Executor::new(&POLICY).sleep(|delay| {
        slept.borrow_mut().push(delay);
        std::future::ready(())
    });
    retry.pause("no").unwrap().await;
    retry.pause("no").unwrap().await;
    assert_eq!(*slept.borrow(), all_ms([1000, 2000]));
}

mod blocking {
    use super::*;

    #[test]
    fn block_with_calls_the_given_sleep() {
        let (attempts, mut slept) = (Attempts::new(), Vec::new());
        let mut retry = Executor::new(&POLICY);
        let outcome = loop {
            match retry.attempt_blocking(|| attempts.succeed_at(3, "no")) {
                Ok(number) => break retry.succeed(number),
                Err(error) => retry.pause(error).unwrap().block_with(|delay| slept.push(delay)),
            }
        };
        assert_eq!((outcome, slept), (3, all_ms([1000, 2000])));
    }

    #[test]
    fn zero_delay_does_not_sleep() {
        let policy = Policy::fixed(Duration::ZERO);
        let mut retry = Executor::new(&policy);
        retry.pause("no").unwrap().block_with(|_| panic!("there is nothing to sleep"));
        retry.pause("no").unwrap().block();
        assert_eq!(retry.current().number(), 3);
    }

    #[test]
    fn blocking_attempt_emits_events() {
        let recorder = Recorder::new();
        let mut retry = Executor::new(&POLICY).observer(&*recorder);
        let value = retry.attempt_blocking(|| 7);
        assert_eq!(retry.succeed(value), 7);
        drop(retry);
        assert_eq!(recorder.lines(), ["1/3 AttemptStarted", "1/3 Succeeded"]);
    }
}

mod run {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn closure_receives_each_attempt() {
        let mut numbers = Vec::new();
        let outcome = POLICY
            .run(|attempt| {
                numbers.push(attempt.number());
                async move { if attempt.is_last() { Ok(attempt.number()) } else { Err(Fault::UNKNOWN) } }
            })
            .await;
        assert_eq!((outcome, numbers), (Ok(3), vec![1, 2, 3]));
    }

    #[tokio::test(start_paused = true)]
    async fn run_waits_according_to_its_policy() {
        let attempts = Attempts::new();
        let outcome = POLICY.run(|_| async { attempts.succeed_at(9, Fault::UNKNOWN) }).await;
        assert_eq!((outcome, attempts.delays()), (Err(Fault::UNKNOWN), all_ms([1000, 2000])));
    }

    #[tokio::test(start_paused = true)]
    async fn run_uses_the_standard_condition() {
        let attempts = Attempts::new();
        let outcome = POLICY.run(|_| async { attempts.succeed_at(9, Fault::PERMANENT) }).await;
        assert_eq!((outcome, attempts.count()), (Err(Fault::PERMANENT), 1));
        assert_eq!(POLICY.run(async |_| None::<u32>).await, None);
    }
}

/// Loops that do not report outcomes to the executor.
mod unreported {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn finished_attempt_is_not_reported_as_cancelled() {
        let recorder = Recorder::new();
        let mut retry = Executor::new(&POLICY).observer(&*recorder);
        retry.attempt_to_end(async { 7 }).await;
        drop(retry);
        assert_eq!(recorder.lines(), ["1/3 AttemptStarted"]);
    }

    #[test]
    fn unused_executor_emits_no_event() {
        let recorder = Recorder::new();
        drop(Executor::new(&POLICY).observer(&*recorder));
        assert_eq!(recorder.lines(), [""; 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_without_a_report_between_them_have_the_same_number() {
        let recorder = Recorder::new();
        let mut retry = Executor::new(&POLICY).observer(&*recorder);
        retry.attempt_to_end(async {}).await;
        retry.attempt_to_end(async {}).await;
        assert_eq!(recorder.lines(), ["1/3 AttemptStarted", "1/3 AttemptStarted"]);
    }
}

#[test]
fn failure_takes_its_properties_from_the_type() {
    let failure = Failure::of(&Fault::status(503).after(SECOND));
    assert_eq!(
        (failure.class(), failure.status(), failure.server_delay()),
        (Class::Transient, Some(503), Some(SECOND))
    );
    assert_eq!(Fault::UNKNOWN.class().as_str(), "unknown");
}

#[tokio::test]
async fn call_ends_once() {
    let recorder = Recorder::new();
    let mut retry = Executor::new(&const { Policy::new().attempts(1) }).observer(&*recorder);
    let error = retry.attempt_to_end(async { Err::<(), _>("no") }).await.unwrap_err();
    let error = retry.pause(error).unwrap_err();
    let _ = retry.fail(error);
    let _ = retry.succeed(1);
    drop(retry);
    let ends = recorder.lines().iter().filter(|line| line.contains("GaveUp") || line.contains("Succeeded")).count();
    assert_eq!(ends, 1);
}

#[tokio::test]
async fn error_passed_to_fail_has_unknown_class() {
    let recorder = Recorder::new();
    let mut retry = Executor::new(&POLICY).observer(&*recorder);
    let _ = retry.fail("no");
    assert!(recorder.lines()[0].contains("class: Unknown"));
}

#[tokio::test]
async fn unpolled_attempt_has_not_started() {
    let recorder = Recorder::new();
    let mut retry = Executor::new(&POLICY).observer(&*recorder);
    drop(retry.attempt_to_end(async { Err::<(), _>("no") }));
    assert!(recorder.lines().is_empty());
    let _ = retry.attempt_to_end(async { Err::<(), _>("no") }).await;
    assert_eq!(recorder.lines(), ["1/3 AttemptStarted"]);
}
