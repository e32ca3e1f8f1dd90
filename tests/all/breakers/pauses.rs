//! Pauses: a server asks one attempt to wait, and all attempts wait or fail at once.

use std::future::pending;
use std::time::Duration;

use futures_util::future::join_all;
use retry_runtime::breaker::{BreakerOpen, BreakerState};
use retry_runtime::policy::BeyondRetryAfter;
use retry_runtime::{Breaker, Class, Jitter, Policy, Retryable};
use tokio::time::{advance, sleep, timeout};

use crate::support::{Attempts, BreakerError, Fault, SECOND, ms, timed};

/// Pauses for up to a minute. Too few attempts are made to open it.
pub(super) const fn pausing() -> Breaker {
    Breaker::new().name("api").pause_on_retry_after(Duration::from_secs(60))
}

pub(super) fn busy(seconds: u64) -> Fault {
    Fault::status(429).after(Duration::from_secs(seconds))
}

pub(super) async fn returns(breaker: &Breaker, outcome: Result<(), Fault>) -> Result<(), BreakerError> {
    breaker.call(async { Ok(outcome?) }).await
}

/// The server asks to wait for this long.
pub(super) async fn asked_to_wait(breaker: &Breaker, seconds: u64) {
    assert_eq!(returns(breaker, Err(busy(seconds))).await, Err(BreakerError::Fault(busy(seconds))));
}

/// Makes an attempt that succeeds. Returns the error if it is rejected.
pub(super) async fn rejection(breaker: &Breaker) -> Option<BreakerOpen> {
    match returns(breaker, Ok(())).await {
        Ok(()) => None,
        Err(BreakerError::Open(open)) => Some(open),
        Err(other) => panic!("{other}"),
    }
}

/// The time until an attempt is admitted, in milliseconds.
async fn paused_for(breaker: &Breaker) -> u64 {
    let mut passed = 0;
    while rejection(breaker).await.is_some() {
        advance(ms(100)).await;
        passed += 100;
    }
    passed
}

#[tokio::test(start_paused = true)]
async fn one_response_pauses_all_attempts() {
    let breaker = pausing();
    assert_eq!(rejection(&breaker).await, None);
    asked_to_wait(&breaker, 5).await;
    assert_eq!(breaker.state(), BreakerState::Paused);
    let open = rejection(&breaker).await.unwrap();
    assert_eq!((open.name(), open.is_paused(), open.class()), ("api", true, Class::Permanent));
    assert_eq!(open.to_string(), "the breaker `api` is paused: the server asked to wait");
    advance(ms(4999)).await;
    assert!(rejection(&breaker).await.is_some());
    advance(ms(1)).await;
    assert_eq!((rejection(&breaker).await, breaker.state()), (None, BreakerState::Closed));
}

#[tokio::test(start_paused = true)]
async fn setting_limits_the_pause_and_defaults_to_none() {
    for (breaker, seconds) in [
        (Breaker::new(), 0),
        (Breaker::new().pause_on_retry_after(SECOND * 2), 2),
        (Breaker::new().pause_on_retry_after(SECOND * 7), 7),
        (Breaker::new().pause_on_retry_after(SECOND * 60), 10),
    ] {
        asked_to_wait(&breaker, 10).await;
        assert_eq!(paused_for(&breaker).await, seconds * 1000);
    }
    assert!(std::panic::catch_unwind(|| Breaker::new().pause_on_retry_after(Duration::ZERO)).is_err());
}

#[tokio::test(start_paused = true)]
async fn only_faults_with_a_delay_pause() {
    let after = |fault: Fault| fault.after(SECOND * 5);
    for (fault, state) in [
        (after(Fault::status(429)), BreakerState::Paused),
        (after(Fault::status(503)), BreakerState::Paused),
        (after(Fault::UNKNOWN), BreakerState::Paused),
        (after(Fault::status(404)), BreakerState::Closed),
        (after(Fault::PERMANENT), BreakerState::Closed),
        // An `Ok` response that asks to poll again later.
        (after(Fault::status(202)), BreakerState::Closed),
        (Fault::status(429), BreakerState::Closed),
        (Fault::status(429).after(Duration::ZERO), BreakerState::Closed),
        (Fault::status(429).after(Duration::from_nanos(1)), BreakerState::Paused),
    ] {
        let breaker = pausing();
        returns(&breaker, Err(fault)).await.unwrap_err();
        assert_eq!(breaker.state(), state, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn hostile_delay_pauses_for_the_limit() {
    for delay in [Duration::MAX, Duration::from_secs(99_999_999_999)] {
        let breaker = pausing();
        returns(&breaker, Err(Fault::status(429).after(delay))).await.unwrap_err();
        assert!(rejection(&breaker).await.unwrap().half_open_in() <= SECOND * 66);
        assert_eq!(paused_for(&breaker).await, 60_000);
        // With the largest limit, the breaker stays paused, and nothing overflows.
        let breaker = Breaker::new().pause_on_retry_after(Duration::MAX);
        returns(&breaker, Err(Fault::status(429).after(delay))).await.unwrap_err();
        advance(SECOND * 86_400 * 365).await;
        assert!(rejection(&breaker).await.unwrap().half_open_in() > SECOND * 86_400 * 365);
        let policy = Policy::fixed(SECOND).deadline(SECOND * 2);
        let (outcome, took) = timed(policy.run(|_| returns(&breaker, Ok(())))).await;
        assert!(outcome.is_err() && took == Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_without_an_outcome_do_not_pause() {
    let breaker = pausing();
    let answers_late = || async {
        sleep(SECOND).await;
        Err::<(), _>(BreakerError::Fault(busy(5)))
    };
    timeout(ms(10), breaker.call(answers_late())).await.unwrap_err();
    let panics = breaker.call::<Result<(), BreakerError>>(async { panic!("the operation panics") });
    let panics = std::panic::AssertUnwindSafe(panics);
    futures_util::FutureExt::catch_unwind(panics).await.unwrap_err();
    let limited = Policy::fixed(SECOND).attempts(1).attempt_timeout(ms(10));
    limited.run(|_| breaker.call(answers_late())).cut_off().await.unwrap_err();
    assert_eq!((breaker.state(), rejection(&breaker).await), (BreakerState::Closed, None));
}

/// Makes a call during a pause. Returns the number of its attempts, whether it succeeds, and the time it takes.
async fn call_during_a_pause(policy: Policy) -> (u32, bool, Duration) {
    let (breaker, attempts) = (pausing(), Attempts::new());
    asked_to_wait(&breaker, 5).await;
    let call = policy.run(|_| {
        attempts.start();
        returns(&breaker, Ok(()))
    });
    let (outcome, took) = timed(call).await;
    (attempts.count(), outcome.is_ok(), took)
}

#[tokio::test(start_paused = true)]
async fn call_waits_if_its_deadline_is_after_the_pause_and_fails_at_once_otherwise() {
    const POLICY: Policy = Policy::fixed(Duration::from_millis(1)).attempts(3);
    for (policy, waits) in [
        (POLICY, false),
        (POLICY.deadline(SECOND * 5), false),
        (POLICY.deadline(ms(5002)), true),
        (POLICY.deadline(SECOND * 60), true),
        // The limit is one of the policy's server delays, and not of the wait for a breaker.
        (POLICY.deadline(SECOND * 60).retry_after(SECOND), true),
        (POLICY.deadline(SECOND * 60).ignore_retry_after(), true),
    ] {
        let (attempts, succeeds, took) = call_during_a_pause(policy).await;
        assert_eq!((attempts, succeeds), if waits { (2, true) } else { (1, false) }, "{policy:?}");
        let expected = if waits { SECOND * 5..=ms(5500) } else { Duration::ZERO..=Duration::ZERO };
        assert!(expected.contains(&took), "{took:?} {policy:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn delays_of_rejected_calls_are_spread_over_a_tenth_of_the_pause() {
    let breaker = Breaker::new().minimum_attempts(u32::MAX).pause_on_retry_after(SECOND * 20);
    asked_to_wait(&breaker, 10).await;
    advance(SECOND * 4).await;
    let policy = Policy::fixed(Duration::ZERO).deadline(SECOND * 60);
    let calls = (0..1000).map(|_| async {
        let (outcome, took) = timed(policy.run(|_| returns(&breaker, Ok(())))).await;
        outcome.unwrap();
        took.as_millis()
    });
    let mut returned = join_all(calls).await;
    returned.sort_unstable();
    assert!(returned[0] >= 6000 && returned[999] <= 7001, "{} to {}", returned[0], returned[999]);
    // Each tenth of the range has about a hundred calls, and no millisecond has many.
    for part in 0..10 {
        let range = 6000 + part * 100..6100 + part * 100;
        let calls = returned.iter().filter(|at| range.contains(*at)).count();
        assert!((50..=160).contains(&calls), "{calls} in {range:?}");
    }
    assert!(returned.chunk_by(|a, b| a == b).all(|same| same.len() < 12));
}

#[tokio::test(start_paused = true)]
async fn random_part_leaves_time_before_the_deadline() {
    for _ in 0..100 {
        let breaker = pausing();
        asked_to_wait(&breaker, 50).await;
        let policy = Policy::fixed(Duration::ZERO).deadline(ms(50_100));
        let (outcome, took) = timed(policy.run(|_| returns(&breaker, Ok(())))).await;
        outcome.unwrap();
        assert!(took <= ms(50_051), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn pause_is_extended_by_a_longer_delay_only() {
    // The delay that another attempt receives after two seconds of a pause of five, and the end of the pause.
    for (second, end) in [(1, 5000), (4, 5000), (5, 5000), (6, 8000), (9, 11_000)] {
        let breaker = pausing();
        let running = breaker.call(async {
            sleep(SECOND * 2).await;
            Err::<(), _>(BreakerError::Fault(busy(second)))
        });
        let first = async {
            asked_to_wait(&breaker, 5).await;
            sleep(SECOND * 2).await;
        };
        let (outcome, ()) = tokio::join!(running, first);
        assert_eq!(outcome, Err(BreakerError::Fault(busy(second))));
        assert_eq!(2000 + paused_for(&breaker).await, end, "{second}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_pause_starts_anew() {
    let breaker = pausing();
    for seconds in [5, 5, 2, 9] {
        asked_to_wait(&breaker, seconds).await;
        assert_eq!(paused_for(&breaker).await, seconds * 1000);
    }
    // Also if no attempt has asked between the end of the pause and the next delay.
    let late = breaker.call(async {
        sleep(SECOND * 7).await;
        Err::<(), _>(BreakerError::Fault(busy(5)))
    });
    let (outcome, ()) = tokio::join!(late, asked_to_wait(&breaker, 5));
    outcome.unwrap_err();
    assert_eq!(paused_for(&breaker).await, 5000);
}

#[tokio::test(start_paused = true)]
async fn attempts_that_run_when_the_pause_starts_count_and_do_not_end_it() {
    for (successes, failures, after) in
        [(3, 0, BreakerState::Paused), (0, 2, BreakerState::Paused), (0, 3, BreakerState::Open)]
    {
        let breaker = pausing().minimum_attempts(4).open_for(SECOND * 20);
        let running = (0..successes + failures).map(|number| {
            breaker.call(async move {
                sleep(SECOND).await;
                if number < successes { Ok(()) } else { Err(BreakerError::Fault(Fault::TRANSIENT)) }
            })
        });
        let first = async { asked_to_wait(&breaker, 5).await };
        tokio::join!(join_all(running), first);
        assert_eq!(breaker.state(), after, "{successes} successes, {failures} failures");
        // One second of either has passed, or `open_for` has begun with the last failure.
        let left = if after == BreakerState::Open { 20_000 } else { 4000 };
        assert_eq!(paused_for(&breaker).await, left);
    }
}

#[tokio::test(start_paused = true)]
async fn pause_keeps_the_counts_of_the_window() {
    for (seconds, state) in [(2, BreakerState::Open), (20, BreakerState::Closed)] {
        let breaker = pausing().minimum_attempts(2).window(SECOND * 10);
        asked_to_wait(&breaker, seconds).await;
        advance(SECOND * seconds as u32).await;
        returns(&breaker, Err(Fault::TRANSIENT)).await.unwrap_err();
        assert_eq!(breaker.state(), state, "{seconds}");
    }
}

/// A breaker that opens with each failure, for five seconds.
fn quick() -> Breaker {
    pausing().minimum_attempts(1).open_for(SECOND * 5)
}

#[tokio::test(start_paused = true)]
async fn pause_of_an_open_breaker_ends_with_a_probe() {
    for (seconds, state, end) in [(2, BreakerState::Open, 5000), (9, BreakerState::Paused, 9000)] {
        let breaker = quick();
        asked_to_wait(&breaker, seconds).await;
        assert_eq!(breaker.state(), state, "{seconds}");
        assert_eq!(rejection(&breaker).await.unwrap().is_paused(), state == BreakerState::Paused);
        advance(ms(end - 1)).await;
        assert!(rejection(&breaker).await.is_some());
        advance(ms(1)).await;
        let probe = breaker.call::<Result<(), BreakerError>>(async {
            assert_eq!(breaker.state(), BreakerState::HalfOpen);
            Ok(())
        });
        probe.await.unwrap();
        assert_eq!(breaker.state(), BreakerState::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn probe_that_is_asked_to_wait_pauses_again() {
    let breaker = quick();
    returns(&breaker, Err(Fault::TRANSIENT)).await.unwrap_err();
    assert_eq!((breaker.state(), rejection(&breaker).await.unwrap().is_paused()), (BreakerState::Open, false));
    for seconds in [30, 3] {
        advance(SECOND * 60).await;
        asked_to_wait(&breaker, seconds).await;
        let end = (SECOND * seconds as u32).max(SECOND * 5);
        assert_eq!(breaker.state(), if seconds == 30 { BreakerState::Paused } else { BreakerState::Open });
        advance(end - ms(1)).await;
        assert!(rejection(&breaker).await.is_some());
    }
    advance(ms(1)).await;
    assert_eq!((rejection(&breaker).await, breaker.state()), (None, BreakerState::Closed));
}

#[tokio::test(start_paused = true)]
async fn dropped_probe_after_a_pause_makes_room_for_the_next() {
    let breaker = quick();
    asked_to_wait(&breaker, 9).await;
    advance(SECOND * 9).await;
    timeout(ms(10), breaker.call::<Result<(), BreakerError>>(pending())).await.unwrap_err();
    assert_eq!((rejection(&breaker).await, breaker.state()), (None, BreakerState::Closed));
}

/// Only the outcome of the probe decides, as for failures. The attempt inside retries after its delay.
#[tokio::test(start_paused = true)]
async fn attempt_inside_a_probe_does_not_pause() {
    let breaker = quick();
    returns(&breaker, Err(Fault::TRANSIENT)).await.unwrap_err();
    advance(SECOND * 5).await;
    let attempts = Attempts::new();
    let inner = Policy::fixed(SECOND);
    let call = breaker.call(inner.run(|_| {
        let outcome = attempts.succeed_at(2, busy(7)).map(drop);
        returns(&breaker, outcome)
    }));
    let (outcome, took) = timed(call).await;
    assert_eq!((outcome, took, breaker.state()), (Ok(()), SECOND * 7, BreakerState::Closed));
}

/// A call that receives the delay itself waits for it, and returns when the pause ends, or earlier if its policy ignores the delay.
#[tokio::test(start_paused = true)]
async fn call_that_received_the_delay_is_admitted_if_it_waits_for_it() {
    const POLICY: Policy = Policy::fixed(Duration::from_millis(10)).attempts(2);
    let wait = |limit| POLICY.retry_after(limit).beyond_retry_after(BeyondRetryAfter::Wait);
    let until = |limit| Breaker::new().pause_on_retry_after(limit);
    for (case, policy, breaker, admitted) in [
        ("the server's delay", POLICY, pausing(), true),
        ("with jitter", POLICY.jitter(Jitter::Full), pausing(), true),
        ("a shorter pause", POLICY, until(SECOND * 3), true),
        ("the policy's limit, which is that of the breaker", wait(SECOND * 3), until(SECOND * 3), true),
        ("the policy's limit, which is shorter", wait(SECOND * 3), until(SECOND * 4), false),
        ("no server delay", POLICY.ignore_retry_after(), pausing(), false),
        (
            "beyond the limit, ignored",
            POLICY.retry_after(SECOND).beyond_retry_after(BeyondRetryAfter::Ignore),
            pausing(),
            false,
        ),
    ] {
        let attempts = Attempts::new();
        let call = policy.run(|_| breaker.call(async { Ok::<_, BreakerError>(attempts.succeed_at(2, busy(5))?) }));
        let outcome = call.await;
        assert_eq!(outcome.is_ok(), admitted, "{case}: {outcome:?}");
        assert!(admitted || matches!(outcome, Err(BreakerError::Open(open)) if open.is_paused()), "{case}");
    }
}

/// A hundred calls are under way when the server starts to reject. Each receives the same delay, and none is rejected when it
/// returns, although none has a deadline.
#[tokio::test(start_paused = true)]
async fn calls_that_received_the_delay_at_different_times_are_all_admitted() {
    let breaker = pausing().minimum_attempts(1000);
    let calls = (0..100).map(|number| {
        let attempts = Attempts::new();
        let breaker = &breaker;
        async move {
            Policy::fixed(ms(1))
                .attempts(2)
                .run(|_| {
                    breaker.call(async {
                        sleep(ms(1 + number * 7)).await;
                        Ok::<_, BreakerError>(attempts.succeed_at(2, busy(1))?)
                    })
                })
                .await
        }
    });
    let outcomes = join_all(calls).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 100);
}
