//! Edge cases: no delay, one attempt, the largest numbers, and a slow backoff function.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use retry_runtime::{Executor, Jitter, Policy, retry};
use tokio::task::yield_now;

use crate::support::{Attempts, Fault, Recorder, SECOND, ms, recorded_sleep, run, timed};

#[retry(attempts = 4, backoff = "fixed", start = "0s")]
async fn at_once(attempts: &Attempts) -> Result<u32, &'static str> {
    attempts.succeed_at(4, "no")
}

/// Tokio's timer would panic here.
#[test]
fn zero_delay_needs_no_timer_and_no_runtime() {
    let attempts = Attempts::new();
    let mut call = pin!(at_once(&attempts));
    let mut context = Context::from_waker(Waker::noop());
    let polls = (1..).find(|_| call.as_mut().poll(&mut context) == Poll::Ready(Ok(4))).unwrap();
    // One additional poll for each retry.
    assert_eq!((polls, attempts.count()), (4, 4));
}

#[tokio::test]
async fn zero_delay_does_not_call_a_custom_sleep() {
    #[retry(attempts = 4, delays = ["0s", "1s"], sleep = recorded_sleep)]
    async fn call() -> Result<(), &'static str> {
        Err("no")
    }
    let recorder = Recorder::new();
    recorder.record_sleeps(call()).await.unwrap_err();
    assert_eq!(recorder.slept(), [SECOND, SECOND]);
}

#[tokio::test]
async fn zero_delay_lets_other_tasks_run() {
    #[retry(attempts = 4, backoff = "fixed", start = "0s")]
    async fn call(ran: &Arc<AtomicU32>, seen: &mut Vec<u32>) -> Result<(), &'static str> {
        seen.push(ran.load(Ordering::Relaxed));
        let ran = ran.clone();
        tokio::spawn(async move { ran.fetch_add(1, Ordering::Relaxed) });
        Err("no")
    }
    let mut seen = Vec::new();
    call(&Arc::default(), &mut seen).await.unwrap_err();
    assert_eq!(seen, [0, 1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn zero_delay_takes_no_time() {
    assert_eq!(timed(at_once(&Attempts::new())).await, (Ok(4), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn server_delay_replaces_a_zero_delay() {
    let busy = run!((attempts = 2, start = "0s") Result<(), Fault>, Err(Fault::TRANSIENT.after(SECOND)));
    assert_eq!(busy.delays, [SECOND]);
}

#[tokio::test(start_paused = true)]
async fn single_attempt_fails_without_a_wait() {
    #[retry(attempts = 1, observer = recorder)]
    async fn call(recorder: &Recorder) -> Result<(), &'static str> {
        Err("no")
    }
    let recorder = Recorder::new();
    assert_eq!(timed(call(&recorder)).await, (Err("no"), Duration::ZERO));
    assert_eq!(recorder.lines().last().unwrap(), "1/1 GaveUp(Exhausted)");
}

#[tokio::test(start_paused = true)]
async fn largest_number_of_attempts_is_accepted() {
    #[retry(attempts = 4294967295, start = "0s", bind = attempt)]
    async fn call(attempts: &Attempts) -> Result<u32, &'static str> {
        assert!(!attempt.is_last());
        attempts.succeed_at(10_000, "no")
    }
    assert_eq!(call(&Attempts::new()).await, Ok(10_000));
}

#[tokio::test(start_paused = true)]
async fn attempt_numbers_increase_in_a_long_loop() {
    let policy = Policy::exponential(Duration::ZERO).unlimited();
    let mut retry = Executor::new(&policy);
    for number in 1..100_000 {
        assert_eq!(retry.current().number(), number);
        retry.pause("no").unwrap().block_with(|_| ());
    }
}

#[tokio::test]
async fn longest_limits_are_accepted() {
    const LONGEST: Duration = Duration::MAX;
    #[retry(attempts = 2, start = "1s", deadline = LONGEST, attempt_timeout = LONGEST, sleep = recorded_sleep)]
    async fn call(attempts: &Attempts) -> Result<u32, String> {
        let number = attempts.start();
        yield_now().await;
        Ok(number)
    }
    let recorder = Recorder::new();
    // The recorded sleep returns at once, so both attempts are cut off.
    recorder.record_sleeps(call(&Attempts::new())).await.unwrap_err();
    assert_eq!(recorder.slept().len(), 3);
    #[retry(deadline = LONGEST, attempt_timeout = LONGEST)]
    async fn with_tokio() -> Result<u32, String> {
        yield_now().await;
        Ok(1)
    }
    assert_eq!(with_tokio().await, Ok(1));
}

#[tokio::test]
async fn delay_beyond_the_clock_exceeds_any_deadline() {
    const LONGEST: Duration = Duration::MAX;
    let policy = Policy::new().retry_after(LONGEST).deadline(SECOND);
    let mut retry = Executor::new(&policy);
    let asks = retry_runtime::Failure::new(retry_runtime::Class::Transient).with_server_delay(LONGEST);
    assert!(retry.pause_for("no", asks).is_err());
}

/// A timer belongs to the runtime that created it.
#[test]
fn executor_continues_in_another_runtime() {
    let policy = Policy::fixed(ms(1)).attempts(9).attempt_timeout(ms(1));
    let mut retry = Executor::new(&policy);
    for number in 1..4 {
        // The runtime is dropped at the end of each iteration, with its timers.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let outcome = retry.attempt(std::future::pending::<std::io::Result<()>>()).await;
            retry.pause(outcome.unwrap_err()).unwrap().await;
        });
        assert_eq!(retry.current().number(), number + 1);
    }
}

/// In a `const`, each of these policies is a compile error. At run time it panics.
#[test]
fn panic_of_an_invalid_policy_names_the_fix() {
    const ZERO: Duration = Duration::ZERO;
    type Build = fn() -> Policy;
    let cases: [(Build, &str); 12] = [
        (|| Policy::new().attempts(0), "it must be at least 1"),
        (|| Policy::new().factor(0.5), "finite number of at least 1"),
        (|| Policy::new().factor(f64::NAN), "finite number of at least 1"),
        (|| Policy::fixed(SECOND).factor(2.0), "`factor` belongs to the exponential backoff"),
        (|| Policy::fixed(SECOND).max_delay(ZERO), "`max_delay` is shorter than the first delay"),
        (|| Policy::random(SECOND * 2, SECOND), "`max_delay` is shorter than the first delay"),
        (|| Policy::new().jitter(Jitter::Share(0.0)), "write 0.2 for 20 %"),
        (|| Policy::new().jitter(Jitter::Share(20.0)), "write 0.2 for 20 %"),
        (|| Policy::new().deadline(ZERO), "`deadline` must be longer than zero"),
        (|| Policy::new().attempt_timeout(ZERO), "`attempt_timeout` must be longer than zero"),
        (|| Policy::fixed(SECOND).deadline(SECOND), "the first delay reaches the `deadline`"),
        (|| Policy::delays(&[]), "delay"),
    ];
    for (build, fix) in cases {
        let panic = std::panic::catch_unwind(build).expect_err(fix);
        let message = panic.downcast_ref::<&str>().expect("a plain message");
        assert!(message.contains(fix), "{message}");
    }
}

/// Each setter checks the first delay and the deadline with the values set so far, so the last one sees the complete policy.
#[test]
fn first_delay_that_reaches_the_deadline_panics_in_any_order_of_the_settings() {
    type Build = fn() -> Policy;
    let invalid: [Build; 5] = [
        || Policy::new().deadline(ms(1)).jitter(Jitter::None),
        || Policy::new().jitter(Jitter::None).deadline(ms(1)),
        || Policy::fixed(SECOND).attempts(3).deadline(ms(1)),
        || Policy::fixed(SECOND).attempts(1).deadline(ms(1)).attempts(3),
        || Policy::fixed(SECOND).attempts(1).deadline(ms(1)).unlimited(),
    ];
    for build in invalid {
        let panic = std::panic::catch_unwind(build).expect_err("the first delay reaches the deadline");
        let message = panic.downcast_ref::<&str>().expect("a plain message");
        assert!(message.starts_with("the first delay reaches the `deadline`"), "{message}");
    }
}

#[test]
fn one_attempt_or_full_jitter_before_a_short_deadline_is_valid() {
    let _ = Policy::fixed(SECOND).attempts(1).deadline(ms(1));
    let _ = Policy::new().attempts(1).deadline(ms(1)).jitter(Jitter::None);
    let _ = Policy::fixed(SECOND).jitter(Jitter::Full).deadline(ms(1)).attempts(3).unlimited();
}

/// A later setting cannot repair a combination that has already panicked.
#[test]
fn one_attempt_or_full_jitter_after_a_short_deadline_panics() {
    assert!(std::panic::catch_unwind(|| Policy::fixed(SECOND).deadline(ms(1)).attempts(1)).is_err());
    assert!(std::panic::catch_unwind(|| Policy::fixed(SECOND).deadline(ms(1)).jitter(Jitter::Full)).is_err());
}

/// In real time, because a backoff function cannot move a paused clock.
#[test]
fn time_that_the_backoff_function_takes_counts_towards_the_deadline() {
    let policy = Policy::custom(|_| {
        std::thread::sleep(ms(80));
        ms(30)
    });
    let decides = |policy: &Policy| {
        let mut retry = Executor::new(policy);
        retry.attempt_blocking(|| ());
        retry.pause("busy").map(|pause| pause.delay())
    };
    assert_eq!(decides(&policy.deadline(ms(100))), Err("busy"));
    assert_eq!(decides(&policy.deadline(SECOND * 60)), Ok(ms(30)));
}
