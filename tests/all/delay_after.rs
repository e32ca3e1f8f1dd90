//! `Policy::delay_after` and `Condition::verdict_on`: decisions about retries that wait outside of the process.

use std::ops::ControlFlow::{Break, Continue};
use std::time::Duration;

use proptest::prelude::*;
use retry_runtime::event::GiveUp;
use retry_runtime::policy::{BeyondRetryAfter, WithinRetryAfter};
use retry_runtime::testing::Simulation;
use retry_runtime::{
    Attempt, Budget, Class, Condition, Executor, Failure, Jitter, Nested, OnError, Policy, Verdict, verdict,
};

use crate::support::{FakeResponse, Fault, Recorder, SECOND, highest, lowest, middle, ms};

const CONDITION: Condition = Condition::new();
const BUSY: Fault = Fault::status(503);

fn delay_after(policy: Policy, attempt: u32, fault: Fault) -> Result<Duration, GiveUp> {
    policy.delay_after(attempt, CONDITION.verdict_on(Failure::of(&fault)))
}

/// The delays in milliseconds after attempts 1 to 4.
fn delays(policy: Policy) -> [u64; 4] {
    let delay = |n| delay_after(policy.attempts(5), n, BUSY).unwrap();
    [1, 2, 3, 4].map(|n| u64::try_from(delay(n).as_millis()).unwrap())
}

#[test]
fn each_backoff_has_its_own_delays() {
    assert_eq!(delays(Policy::exponential(SECOND)), [1000, 2000, 4000, 8000]);
    assert_eq!(delays(Policy::exponential(SECOND).factor(3.0)), [1000, 3000, 9000, 27_000]);
    assert_eq!(delays(Policy::exponential(SECOND).max_delay(SECOND * 3)), [1000, 2000, 3000, 3000]);
    assert_eq!(delays(Policy::fixed(SECOND)), [1000; 4]);
    assert_eq!(delays(Policy::linear(SECOND)), [1000, 2000, 3000, 4000]);
    assert_eq!(delays(Policy::fibonacci(SECOND)), [1000, 1000, 2000, 3000]);
    assert_eq!(delays(Policy::delays(const { &[ms(5), ms(7)] })), [5, 7, 7, 7]);
    assert_eq!(delays(Policy::random(SECOND, SECOND * 3).random_source(middle)), [2000; 4]);
    assert_eq!(delays(Policy::custom(|attempt| SECOND * attempt.number() * 10)), [10_000, 20_000, 30_000, 40_000]);
}

#[test]
fn decorrelated_delays_are_drawn_again_from_the_first() {
    let policy = Policy::decorrelated(SECOND, SECOND * 60).factor(2.0);
    assert_eq!(delays(policy.random_source(|| 1.0)), [2000, 4000, 8000, 16_000]);
    assert_eq!(delays(policy.random_source(lowest)), [1000; 4]);
    assert_eq!(delays(policy.max_delay(SECOND * 7).random_source(|| 1.0)), [2000, 4000, 7000, 7000]);
    let late = policy.unlimited().delay_after(u32::MAX, CONDITION.verdict_on(Failure::of(&BUSY))).unwrap();
    assert!((SECOND..=SECOND * 60).contains(&late), "{late:?}");
}

#[test]
fn jitter_applies() {
    let policy = Policy::fixed(SECOND).jitter(Jitter::Equal);
    assert_eq!(delays(policy.random_source(lowest)), [500; 4]);
    assert_eq!(delays(policy.random_source(middle)), [750; 4]);
}

#[test]
fn limit_on_attempts_applies() {
    let policy = Policy::fixed(SECOND);
    assert_eq!(delay_after(policy.attempts(3), 2, BUSY), Ok(SECOND));
    assert_eq!(delay_after(policy.attempts(3), 3, BUSY), Err(GiveUp::Exhausted));
    assert_eq!(delay_after(policy.attempts(3), 4, BUSY), Err(GiveUp::Exhausted));
    assert_eq!(delay_after(policy.attempts(4), 3, BUSY), Ok(SECOND));
    assert_eq!(delay_after(policy.unlimited(), u32::MAX, BUSY), Ok(SECOND));
}

#[test]
fn attempt_zero_counts_as_the_first() {
    let policy = Policy::linear(SECOND);
    assert_eq!(delay_after(policy.attempts(2), 0, BUSY), Ok(SECOND));
    assert_eq!(delay_after(policy.attempts(1), 0, BUSY), Err(GiveUp::Exhausted));
}

#[test]
fn server_delay_is_treated_as_the_policy_says() {
    let policy = Policy::fixed(SECOND * 5);
    let asked = |policy, seconds| delay_after(policy, 1, BUSY.after(SECOND * seconds));
    assert_eq!(asked(policy, 7), Ok(SECOND * 7));
    assert_eq!(asked(policy, 3), Ok(SECOND * 5));
    assert_eq!(asked(policy.within_retry_after(WithinRetryAfter::Replace), 3), Ok(SECOND * 3));
    assert_eq!(asked(policy, 61), Err(GiveUp::ServerDelay(SECOND * 61)));
    assert_eq!(asked(policy.retry_after(SECOND * 90), 61), Ok(SECOND * 61));
    assert_eq!(asked(policy.beyond_retry_after(BeyondRetryAfter::Wait), 61), Ok(SECOND * 60));
    assert_eq!(asked(policy.beyond_retry_after(BeyondRetryAfter::Ignore), 61), Ok(SECOND * 5));
    assert_eq!(asked(policy.ignore_retry_after(), 7), Ok(SECOND * 5));
    assert_eq!(asked(policy.jitter(Jitter::Full).random_source(middle), 7), Ok(ms(9500)));
}

#[test]
fn breaker_delay_is_a_lower_bound() {
    let rejected = |delay| CONDITION.verdict_on(Failure::new(Class::Transient).with_breaker_delay(delay));
    let policy = Policy::fixed(SECOND).retry_after(SECOND);
    assert_eq!(policy.delay_after(1, rejected(SECOND * 9)), Ok(SECOND * 9));
    assert_eq!(policy.delay_after(1, rejected(ms(10))), Ok(SECOND));
}

#[test]
fn verdict_decides_if_there_is_a_retry() {
    let policy = Policy::fixed(SECOND);
    assert_eq!(delay_after(policy, 1, Fault::TRANSIENT), Ok(SECOND));
    assert_eq!(delay_after(policy, 1, Fault::UNKNOWN), Ok(SECOND));
    assert_eq!(delay_after(policy, 1, Fault::PERMANENT), Err(GiveUp::Permanent));
    assert_eq!(policy.delay_after(1, Verdict::Done), Err(GiveUp::Permanent));
    let post = CONDITION.for_method("POST");
    assert_eq!(policy.delay_after(1, post.verdict_on(Failure::of(&BUSY))), Err(GiveUp::NotIdempotent));
    let not_ready = Verdict::NotReady(Failure::new(Class::Success).with_server_delay(SECOND * 2));
    assert_eq!(policy.delay_after(1, not_ready), Ok(SECOND * 2));
}

#[test]
fn settings_of_a_running_call_do_not_apply() {
    static SMALL: Budget = Budget::new().capacity(5);
    let policy = Policy::fixed(SECOND * 10).attempts(3).nested(Nested::Once);
    let policy = policy.attempt_timeout(ms(1)).budget(|| &SMALL).deadline(SECOND * 11);
    for attempt in [1, 2, 1, 2, 1, 2] {
        assert_eq!(delay_after(policy, attempt, BUSY), Ok(SECOND * 10));
    }
}

#[test]
fn custom_backoff_gets_the_number_the_limit_and_the_failure() {
    fn of(attempt: &Attempt) -> Duration {
        assert_eq!((attempt.number(), attempt.attempts()), (2, Some(4)));
        assert_eq!(attempt.elapsed(), Duration::ZERO);
        assert_eq!(attempt.remaining(), Some(SECOND * 60));
        SECOND * u32::from(attempt.last_failure().unwrap().status().unwrap())
    }
    let policy = Policy::custom(of).attempts(4).deadline(SECOND * 60).max_delay(Duration::MAX);
    assert_eq!(delay_after(policy, 2, BUSY), Ok(SECOND * 503));
}

#[test]
fn simulation_limits_attempts_and_seeds_the_jitter() {
    let policy = Policy::fixed(SECOND).jitter(Jitter::Full);
    let drawn = |seed| Simulation::new().seed(seed).run_blocking(|| delay_after(policy, 1, BUSY));
    assert_eq!(drawn(7), drawn(7));
    assert_ne!(drawn(7), drawn(8));
    let without = Simulation::new().without_retries().run_blocking(|| delay_after(policy, 1, BUSY));
    assert_eq!(without, Err(GiveUp::Exhausted));
}

#[test]
fn verdict_on_a_failure_is_that_on_its_outcome() {
    let conditions = [
        CONDITION,
        CONDITION.on_status(&[404..=404]),
        CONDITION.on_status(&[200..=200]),
        CONDITION.on_error(OnError::Any),
        CONDITION.on_error(OnError::Never),
        CONDITION.on_error(OnError::Transient).for_method("POST"),
    ];
    for condition in conditions {
        for fault in [Fault::TRANSIENT, Fault::UNKNOWN, Fault::PERMANENT, BUSY, Fault::status(404), Fault::status(429)]
        {
            let outcome: Result<(), Fault> = Err(fault);
            assert_eq!(condition.verdict_on(Failure::of(&fault)), verdict!(&outcome, condition), "{fault:?}");
        }
        let ok = FakeResponse(200);
        assert_eq!(condition.verdict_on(Failure::of(&ok)), verdict!(&ok, condition));
    }
    assert_eq!(CONDITION.verdict_on(Failure::of(&FakeResponse(200))), Verdict::Done);
}

/// Any policy whose random numbers are constant, so that an executor draws the same ones.
fn policies() -> impl Strategy<Value = Policy> {
    let random = prop_oneof![Just(lowest as fn() -> f64), Just(middle as fn() -> f64), Just(highest as fn() -> f64)];
    let jitter = prop_oneof![Just(Jitter::None), Just(Jitter::Full), Just(Jitter::Equal), Just(Jitter::Share(0.3))];
    let within = prop_oneof![Just(WithinRetryAfter::Raise), Just(WithinRetryAfter::Replace)];
    let beyond =
        prop_oneof![Just(BeyondRetryAfter::GiveUp), Just(BeyondRetryAfter::Wait), Just(BeyondRetryAfter::Ignore)];
    let numbers = (1..9_u32, 0..6_u8, 0..5000_u64, 1..9000_u64);
    (numbers, random, jitter, within, beyond).prop_map(
        |((attempts, backoff, start, limit), random, jitter, within, beyond)| {
            let start = ms(start);
            let policy = match backoff {
                0 => Policy::exponential(start),
                1 => Policy::fixed(start),
                2 => Policy::linear(start),
                3 => Policy::fibonacci(start),
                4 => Policy::random(start, SECOND * 30),
                _ => Policy::custom(|attempt| SECOND * attempt.number()),
            };
            policy
                .attempts(attempts)
                .jitter(jitter)
                .random_source(random)
                .retry_after(ms(limit))
                .within_retry_after(within)
                .beyond_retry_after(beyond)
        },
    )
}

/// A failure, often with a delay that the server asks for.
fn faults() -> impl Strategy<Value = Fault> {
    let fault = prop_oneof![
        8 => Just(BUSY), 4 => Just(Fault::status(429)), 4 => Just(Fault::UNKNOWN), 1 => Just(Fault::PERMANENT)
    ];
    (fault, prop::option::of(0..12_000_u64))
        .prop_map(|(fault, asked)| asked.map_or(fault, |asked| fault.after(ms(asked))))
}

/// Runs an executor through these failures. Compares each of its decisions with `delay_after`.
fn compare(policy: Policy, faults: Vec<Fault>) -> Result<(), TestCaseError> {
    let recorder = Recorder::new();
    let mut retry = Executor::new(&policy).observer(&*recorder);
    for (attempt, fault) in (1..).zip(faults) {
        let decision = delay_after(policy, attempt, fault);
        match retry.next(Err::<(), _>(fault), &CONDITION) {
            Continue(pause) => {
                prop_assert_eq!(decision, Ok(pause.delay()), "after attempt {}", attempt);
                pause.block_with(|_| ());
            }
            Break(_) => {
                let why = format!("GaveUp({:?})", decision.unwrap_err());
                prop_assert!(recorder.lines().last().unwrap().contains(&why), "{}", why);
                return Ok(());
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decision_is_that_of_an_executor(policy in policies(), faults in prop::collection::vec(faults(), 1..10)) {
        compare(policy, faults)?;
    }

    /// The executor knows the delay before each attempt. Without server delays, it is the one that is drawn again.
    #[test]
    fn decorrelated_decision_is_that_of_an_executor(start in 1..5000_u64, factor in 1.0..4.0_f64, attempts in 1..9_u32) {
        for random in [lowest as fn() -> f64, middle, highest] {
            let policy = Policy::decorrelated(ms(start), SECOND * 20).factor(factor).attempts(attempts);
            compare(policy.random_source(random), vec![BUSY; 9])?;
            compare(policy.random_source(random).jitter(Jitter::Equal), vec![BUSY; 9])?;
        }
    }
}
