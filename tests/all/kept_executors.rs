//! Executors that own what they need, that a struct can keep, and that count more than the attempts of one loop.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use retry_runtime::event::{DelaySource, EventKind, OwnedEventKind};
use retry_runtime::executor::{ByDebug, OwnedPause};
use retry_runtime::{Budget, Event, Executor, Jitter, Observer, Policy};
use tokio::time::{Instant, timeout};

use crate::support::{Recorder, SECOND, all_ms, ms, timed};

const POLICY: Policy = Policy::exponential(SECOND).attempts(3);

/// A call that a struct keeps.
struct Upload {
    retry: Executor,
}

#[test]
fn stored_executor_is_static_and_can_be_sent_and_shared() {
    fn check<T: Send + Sync + 'static>(_: &T) {}
    let name = String::from("part 7");
    check(&Upload { retry: Executor::new(POLICY).name(name).budget(Arc::new(Budget::new())) });
    check(&Upload { retry: Executor::new(&const { Policy::new() }) });
    let upload = Upload { retry: Executor::new(Arc::new(POLICY)) };
    check(&upload);
    assert_eq!(upload.retry.current().number(), 1);
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_policy_gives_the_same_delays() {
    async fn delays(mut retry: Executor) -> Vec<Duration> {
        let mut delays = Vec::new();
        while let Ok(pause) = retry.pause("no") {
            delays.push(pause.delay());
        }
        delays
    }
    let policy: Policy = POLICY.attempts(4);
    static SHARED: std::sync::LazyLock<Arc<Policy>> = std::sync::LazyLock::new(|| Arc::new(POLICY.attempts(4)));
    let expected = all_ms([1000, 2000, 4000]);
    assert_eq!(delays(Executor::new(policy)).await, expected);
    assert_eq!(delays(Executor::new(Arc::new(policy))).await, expected);
    assert_eq!(delays(Executor::new(&*SHARED)).await, expected);
    assert_eq!(delays(Executor::new(&const { POLICY.attempts(4) })).await, expected);
}

#[tokio::test(start_paused = true)]
async fn owned_policy_limits_attempts_and_time_like_a_borrowed_one() {
    let policy = POLICY.deadline(ms(1500));
    for is_owned in [true, false] {
        let mut retry = if is_owned { Executor::new(policy) } else { Executor::new(&policy) };
        let cut_off = retry.attempt(async { pending::<Result<(), std::io::Error>>().await });
        let (outcome, took) = timed(cut_off).await;
        assert_eq!(outcome.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
        assert_eq!(took, ms(1500));
        retry.pause("late").unwrap_err();
    }
}

#[test]
fn owned_and_borrowed_names_appear_in_events() {
    let recorder = Recorder::new();
    for name in ["borrowed", "owned"] {
        let mut retry = Executor::new(&POLICY).observer(&*recorder);
        retry = if name == "owned" { retry.name(name.to_owned()) } else { retry.name(name) };
        retry.succeed(());
    }
    assert_eq!(recorder.names(), ["borrowed", "owned"]);
}

#[test]
fn own_budget_pays_instead_of_that_of_the_policy() {
    static OF_POLICY: Budget = Budget::new().capacity(500);
    let own = Arc::new(Budget::new().capacity(500));
    let policy = POLICY.budget(|| &OF_POLICY);
    let mut retry = Executor::new(&policy).budget(own.clone());
    drop(retry.pause("no").unwrap());
    assert_eq!((own.tokens(), OF_POLICY.tokens()), (495, 500));
    let mut borrowing = Executor::new(&policy).budget(&*own);
    drop(borrowing.pause("no").unwrap());
    assert_eq!(own.tokens(), 490);
    let mut without = Executor::new(&policy);
    drop(without.pause("no").unwrap());
    assert_eq!(OF_POLICY.tokens(), 495);
    drop((retry, borrowing, without));
    assert_eq!((own.tokens(), OF_POLICY.tokens()), (500, 500));
}

/// Remembers the sources of delays.
#[derive(Default)]
struct Sources(std::sync::Mutex<Vec<(DelaySource, Duration)>>);

impl Observer for Sources {
    fn on_event(&self, event: &Event<'_>) {
        if let EventKind::Waiting { delay, source, .. } = event.kind {
            self.0.lock().unwrap().push((source, delay));
        }
    }
}

#[test]
fn delay_chosen_by_the_loop_is_exact_and_named_as_such() {
    let sources = Sources::default();
    // Neither the jitter nor the cap changes it.
    let policy = Policy::exponential(SECOND).attempts(4).max_delay(SECOND).jitter(Jitter::Full);
    let mut retry = Executor::new(&policy).observer(&sources);
    assert_eq!(retry.pause_after("throttled", ms(7300)).unwrap().delay(), ms(7300));
    drop(retry.pause("other").unwrap());
    assert_eq!(retry.pause_after("throttled", Duration::ZERO).unwrap().delay(), Duration::ZERO);
    assert_eq!(retry.pause_after("throttled", ms(1)).unwrap_err(), "throttled");
    let sources = sources.0.lock().unwrap();
    assert_eq!(sources[0], (DelaySource::Chosen, ms(7300)));
    assert_eq!(sources[1].0, DelaySource::Backoff);
    assert_eq!(sources[2], (DelaySource::Chosen, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn chosen_delay_has_to_fit_before_the_deadline() {
    let policy = POLICY.deadline(SECOND * 5);
    let mut retry = Executor::new(&policy);
    assert_eq!(retry.pause_after("no", SECOND * 5).unwrap_err(), "no");
    let mut retry = Executor::new(&policy);
    assert_eq!(timed(retry.pause_after("no", ms(4999)).unwrap()).await.1, ms(4999));
}

#[tokio::test(start_paused = true)]
async fn code_that_waits_by_itself_gets_the_delays() {
    let mut retry = Executor::new(POLICY);
    assert_eq!([retry.next_delay("no"), retry.next_delay("no")], [Ok(SECOND), Ok(SECOND * 2)]);
    assert_eq!(retry.next_delay("no"), Err("no"));
}

#[test]
fn error_without_display_is_shown_by_its_debug_and_returned_without_wrapper() {
    #[derive(Debug, PartialEq)]
    struct Busy {
        queue: u32,
    }
    let recorder = Recorder::new();
    let mut retry = Executor::new(&const { POLICY.attempts(2) }).observer(&*recorder);
    drop(retry.pause(ByDebug(Busy { queue: 3 })).unwrap());
    assert_eq!(retry.pause(ByDebug(Busy { queue: 4 })).unwrap_err(), Busy { queue: 4 });
    assert_eq!(retry.fail(ByDebug(Busy { queue: 5 })), Busy { queue: 5 });
    let lines = recorder.lines();
    assert!(lines[0].ends_with("reason: Busy { queue: 3 } }"), "{}", lines[0]);
    assert!(lines[2].ends_with("reason: Busy { queue: 4 } }"), "{}", lines[2]);
}

#[tokio::test(start_paused = true)]
async fn owned_pause_waits_as_long_as_a_pause_and_outlives_the_borrow() {
    struct Polled {
        retry: Executor,
        pause: OwnedPause,
    }
    let mut retry = Executor::new(POLICY);
    let pause = retry.pause("no").unwrap().into_owned();
    let mut polled = Polled { retry, pause };
    assert_eq!(polled.pause.delay(), SECOND);
    assert_eq!(timed(polled.pause).await.1, SECOND);
    polled.pause = polled.retry.pause("no").unwrap().into_owned();
    assert_eq!(timed(polled.pause).await.1, SECOND * 2);
}

#[tokio::test(start_paused = true)]
async fn owned_pause_of_zero_yields_once_and_uses_the_sleep_of_the_executor() {
    let slept = std::sync::Mutex::new(Vec::new());
    let sleep = async |delay| slept.lock().unwrap().push(delay);
    let mut retry = Executor::new(&const { Policy::fixed(SECOND) }).sleep(&sleep);
    let pause = retry.pause("no").unwrap().into_owned();
    pause.await;
    assert_eq!(*slept.lock().unwrap(), [SECOND]);
    let mut retry = Executor::new(&const { Policy::fixed(Duration::ZERO) });
    let mut pause = pin!(retry.pause("no").unwrap().into_owned());
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!([pause.as_mut().poll(&mut cx), pause.as_mut().poll(&mut cx)], [Poll::Pending, Poll::Ready(())]);
}

#[tokio::test(start_paused = true)]
async fn executor_that_is_dropped_in_an_owned_pause_is_cancelled_and_gets_its_tokens_back() {
    let (recorder, budget) = (Recorder::new(), Budget::new().capacity(500));
    let mut retry = Executor::new(&POLICY).observer(&*recorder).budget(&budget);
    let pause = retry.pause("no").unwrap().into_owned();
    assert_eq!(budget.tokens(), 495);
    timeout(ms(1), pause).await.unwrap_err();
    drop(retry);
    assert_eq!(budget.tokens(), 500);
    assert_eq!(recorder.lines().last().unwrap(), "1/3 Cancelled");
}

mod reset {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn counting_and_the_schedule_start_anew() {
        let mut retry = Executor::new(POLICY);
        for _ in 0..3 {
            assert_eq!(retry.next_delay("no"), Ok(SECOND));
            assert_eq!(retry.next_delay("no"), Ok(SECOND * 2));
            assert_eq!(retry.current().number(), 3);
            retry.reset();
            assert_eq!(retry.current().number(), 1);
            assert!(retry.current().last_failure().is_none());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn deadline_starts_anew_with_and_without_failures_before() {
        for fails in [false, true] {
            let mut retry = Executor::new(POLICY.deadline(SECOND * 10));
            tokio::time::advance(SECOND * 8).await;
            if fails {
                retry.next_delay("no").unwrap();
            }
            retry.reset();
            assert_eq!(retry.current().remaining(), Some(SECOND * 10));
            tokio::time::advance(SECOND * 8).await;
            retry.next_delay("no").unwrap();
        }
    }

    #[test]
    fn reset_after_giving_up_reports_no_success_and_allows_all_attempts() {
        let recorder = Recorder::new();
        let mut retry = Executor::new(POLICY.attempts(2)).observer(&*recorder);
        let fails = |retry: &mut Executor<_>| {
            retry.attempt_blocking(|| ());
            retry.next_delay("no").is_err()
        };
        assert_eq!([fails(&mut retry), fails(&mut retry), fails(&mut retry)], [false, true, true]);
        retry.reset();
        assert_eq!([fails(&mut retry), fails(&mut retry)], [false, true]);
        assert!(!recorder.lines().iter().any(|line| line.contains("Succeeded")));
    }

    #[test]
    fn recovery_is_reported_once_and_a_reset_without_failure_reports_nothing() {
        let (recorder, budget) = (Recorder::new(), Budget::new().capacity(500));
        let mut retry = Executor::new(&POLICY).observer(&*recorder).budget(&budget);
        retry.attempt_blocking(|| ());
        retry.reset();
        assert_eq!(recorder.lines(), ["1/3 AttemptStarted"]);
        retry.next_delay("no").unwrap();
        retry.attempt_blocking(|| ());
        retry.reset();
        assert_eq!(
            recorder.lines(),
            [
                "1/3 AttemptFailed { class: Unknown, status: None, reason: no }",
                "1/3 Waiting { delay: 1s, source: Backoff }",
                "2/3 AttemptStarted",
                "2/3 Succeeded",
            ]
        );
        assert_eq!(budget.tokens(), 500);
        retry.reset();
        retry.attempt_blocking(|| ());
        retry.succeed(());
        assert_eq!(recorder.lines(), ["1/3 AttemptStarted", "1/3 Succeeded"]);
    }
}

mod charge {
    use super::*;

    #[test]
    fn attempts_made_elsewhere_count_and_move_the_schedule_on() {
        let mut retry = Executor::new(POLICY);
        retry.charge(0);
        assert_eq!(retry.current().number(), 1);
        retry.charge(1);
        assert_eq!(retry.current().number(), 2);
        assert_eq!(retry.next_delay("no"), Ok(SECOND * 2));
        assert_eq!(retry.next_delay("no"), Err("no"));
    }

    #[test]
    fn limit_that_is_reached_elsewhere_leaves_one_attempt() {
        for made in [2, 3, u32::MAX] {
            let mut retry = Executor::new(POLICY);
            retry.charge(made);
            assert!(retry.current().is_last());
            assert_eq!(retry.next_delay("no"), Err("no"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn clock_starts_when_it_is_asked_for() {
    let mut retry = Executor::new(POLICY);
    let started = retry.started();
    assert_eq!(started, Instant::now().into_std());
    tokio::time::advance(SECOND).await;
    assert_eq!(retry.started(), started);
    assert_eq!(retry.current().elapsed(), SECOND);
}

mod not_ready {
    use super::*;

    #[test]
    fn polling_waits_like_a_retry_but_takes_no_tokens_and_ends_with_an_error() {
        let (recorder, budget) = (Recorder::new(), Budget::new().capacity(500));
        let mut retry = Executor::new(&POLICY).observer(&*recorder).budget(&budget);
        assert_eq!(retry.not_ready().unwrap().delay(), SECOND);
        assert_eq!(retry.not_ready().unwrap().delay(), SECOND * 2);
        let error = retry.not_ready().unwrap_err();
        assert_eq!((error.attempts(), error.to_string()), (3, "not ready after 3 attempts".to_owned()));
        assert_eq!(budget.tokens(), 500);
        assert_eq!(
            recorder.lines(),
            [
                "1/3 NotReady",
                "1/3 Waiting { delay: 1s, source: Backoff }",
                "2/3 NotReady",
                "2/3 Waiting { delay: 2s, source: Backoff }",
                "3/3 NotReady",
                "3/3 GaveUp(Exhausted)",
            ]
        );
    }

    /// The attempt before did not fail, so it has no failure.
    #[test]
    fn attempt_after_a_value_that_is_not_ready_has_no_last_failure() {
        let mut retry = Executor::new(&POLICY);
        drop(retry.not_ready().unwrap());
        assert_eq!(retry.current().last_failure(), None);
        drop(retry.pause("no").unwrap());
        assert!(retry.current().last_failure().is_some());
        let mut retry = Executor::new(&POLICY);
        drop(retry.pause("no").unwrap());
        drop(retry.not_ready().unwrap());
        assert_eq!(retry.current().last_failure(), None);
    }

    #[test]
    fn backoff_of_a_value_that_is_not_ready_sees_no_failure() {
        fn backoff(attempt: &retry_runtime::Attempt) -> Duration {
            if attempt.last_failure().is_none() { ms(5) } else { ms(7) }
        }
        let mut retry = Executor::new(Policy::custom(backoff).attempts(3));
        assert_eq!(retry.not_ready().unwrap().delay(), ms(5));
        assert_eq!(retry.pause("no").unwrap().delay(), ms(7));
    }

    #[test]
    fn waiting_for_a_value_says_so_in_its_event() {
        struct Waits(std::sync::Mutex<Vec<bool>>);
        impl Observer for Waits {
            fn on_event(&self, event: &Event<'_>) {
                if let OwnedEventKind::Waiting { not_ready, .. } = event.into_owned().kind {
                    self.0.lock().unwrap().push(not_ready);
                }
            }
        }
        let waits = Waits(Default::default());
        let mut retry = Executor::new(&POLICY).observer(&waits);
        drop(retry.not_ready().unwrap());
        drop(retry.pause("no").unwrap());
        assert_eq!(*waits.0.lock().unwrap(), [true, false]);
    }
}

/// An executor drops what it owns after a success, a failure, a reset, a panic, and before its first attempt.
#[tokio::test(start_paused = true)]
async fn owned_parts_are_dropped_with_the_executor() {
    struct Panics;
    impl Observer for Panics {
        fn on_event(&self, event: &Event<'_>) {
            assert!(!matches!(event.kind, EventKind::Cancelled), "in the observer");
        }
    }
    let budget = Arc::new(Budget::new().capacity(500));
    let new = || Executor::new(POLICY).name("owned".to_owned()).budget(budget.clone());
    drop(new());
    new().succeed(());
    new().attempt(async { Ok::<_, std::io::Error>(()) }).await.unwrap();
    let mut retry = new();
    retry.pause("no").unwrap().await;
    retry.reset();
    retry.reset();
    drop(retry);
    drop(new().sleep(tokio::time::sleep));
    let mut cancelled = new().observer(&Panics);
    drop(cancelled.pause("no").unwrap());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(cancelled)));
    assert!(panicked.is_err());
    drop(POLICY.run(|_| async { Some(1) }).budget(budget.clone()).name("owned".to_owned()));
    POLICY.run(|_| async { Some(1) }).budget(budget.clone()).await.unwrap();
    POLICY.run(|_| Some(1)).budget(budget.clone()).blocking().call().unwrap();
    assert_eq!((Arc::strong_count(&budget), budget.tokens()), (1, 500));
}

#[test]
fn reset_after_charged_attempts_reports_no_success() {
    let recorder = Recorder::new();
    let mut retry = Executor::new(POLICY).observer(&*recorder);
    retry.charge(2);
    retry.reset();
    assert_eq!((retry.current().number(), recorder.lines()), (1, vec![]));
}

#[test]
fn reset_after_the_end_of_the_call_starts_another_one() {
    let recorder = Recorder::new();
    let mut retry = Executor::new(POLICY).observer(&*recorder);
    retry.fail("no");
    retry.reset();
    retry.fail("no");
    assert_eq!(recorder.lines().iter().filter(|line| line.contains("GaveUp")).count(), 2);
}

#[test]
fn charged_attempts_are_no_failures_for_budgets() {
    let policy = POLICY.attempts(9);
    let bucket = Budget::new().capacity(500);
    let mut other = Executor::new(&policy).budget(&bucket);
    drop(other.pause("no").unwrap());
    let mut retry = Executor::new(&policy).budget(&bucket);
    retry.charge(2);
    retry.succeed(());
    assert_eq!(bucket.tokens(), 496);
    // The call counts, and so pays for its own retry.
    let ratio = Budget::ratio(100, 0, SECOND);
    let mut retry = Executor::new(&policy).budget(&ratio);
    retry.charge(2);
    drop(retry.pause("no").unwrap());
}
