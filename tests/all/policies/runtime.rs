//! Policies from values that are only known at run time: strict and lenient.

use std::error::Error;
use std::panic::catch_unwind;
use std::time::Duration;

use proptest::prelude::*;
use retry_runtime::event::EventLevel;
use retry_runtime::policy::{BeyondRetryAfter, PolicyBuilder, PolicyError, WithinRetryAfter};
use retry_runtime::{Budget, Executor, Jitter, Nested, Policy};

use crate::support::{SECOND, all_ms, highest, ms};

const ZERO: Duration = Duration::ZERO;

/// A policy for which `Policy` panics, the same values in the builder, the setting that the error names, and the clamped policy.
struct Case {
    panics: fn() -> Policy,
    builder: PolicyBuilder,
    setting: &'static str,
    clamped: &'static str,
}

fn case(panics: fn() -> Policy, builder: PolicyBuilder, setting: &'static str, clamped: &'static str) -> Case {
    Case { panics, builder, setting, clamped }
}

const STANDARD: &str = "3 attempts, exponential from 100ms, at most 30s, full jitter";

/// Every panic of the builder of `Policy`.
fn cases() -> Vec<Case> {
    use PolicyBuilder as Builder;
    let ignoring = || Builder::fixed(SECOND).ignore_retry_after();
    vec![
        case(|| Policy::new().attempts(0), Builder::new().attempts(0), "attempts", "1 attempt"),
        case(|| Policy::delays(&[]), Builder::delays(&[]), "delays", "1 attempt"),
        case(|| Policy::new().factor(0.9), Builder::new().factor(0.9), "factor", FACTOR_1),
        case(|| Policy::new().factor(f64::NAN), Builder::new().factor(f64::NAN), "factor", FACTOR_1),
        case(
            || Policy::decorrelated(SECOND, SECOND).factor(-1.0),
            Builder::decorrelated(SECOND, SECOND).factor(-1.0),
            "factor",
            "3 attempts, decorrelated from 1s to 1s, factor 1",
        ),
        case(
            || Policy::fixed(SECOND).factor(2.0),
            Builder::fixed(SECOND).factor(2.0),
            "factor",
            "3 attempts, fixed 1s",
        ),
        case(
            || Policy::exponential(ms(2)).max_delay(ms(1)),
            Builder::exponential(ms(2)).max_delay(ms(1)),
            "max_delay",
            "3 attempts, exponential from 2ms, at most 2ms",
        ),
        case(
            || Policy::random(ms(2), ms(1)),
            Builder::random(ms(2), ms(1)),
            "max_delay",
            "3 attempts, random from 2ms to 2ms",
        ),
        case(
            || Policy::decorrelated(ms(2), ms(1)),
            Builder::decorrelated(ms(2), ms(1)),
            "max_delay",
            "3 attempts, decorrelated from 2ms to 2ms",
        ),
        case(
            || Policy::fixed(ms(5)).jitter(Jitter::Share(0.0)),
            Builder::fixed(ms(5)).jitter(Jitter::Share(0.0)),
            "jitter",
            "3 attempts, fixed 5ms",
        ),
        case(
            || Policy::fixed(ms(5)).jitter(Jitter::Share(f64::NAN)),
            Builder::fixed(ms(5)).jitter(Jitter::Share(f64::NAN)),
            "jitter",
            "3 attempts, fixed 5ms",
        ),
        case(
            || Policy::fixed(ms(5)).jitter(Jitter::Share(20.0)),
            Builder::fixed(ms(5)).jitter(Jitter::Share(20.0)),
            "jitter",
            "3 attempts, fixed 5ms, 100% jitter",
        ),
        case(
            || Policy::fixed(ms(5)).jitter(Jitter::Plus(ZERO)),
            Builder::fixed(ms(5)).jitter(Jitter::Plus(ZERO)),
            "jitter",
            "3 attempts, fixed 5ms",
        ),
        case(
            || Policy::new().deadline(ZERO),
            Builder::new().deadline(ZERO),
            "deadline",
            "3 attempts, exponential from 100ms, at most 30s, full jitter, deadline 1ns",
        ),
        case(
            || Policy::exponential(ms(100)).deadline(ms(100)),
            Builder::exponential(ms(100)).deadline(ms(100)),
            "deadline",
            "3 attempts, exponential from 100ms, deadline 100ms",
        ),
        case(|| Policy::new().attempt_timeout(ZERO), Builder::new().attempt_timeout(ZERO), "attempt_timeout", STANDARD),
        case(
            || Policy::fixed(SECOND).drain_timeout(ZERO),
            Builder::fixed(SECOND).drain_timeout(ZERO),
            "drain_timeout",
            "3 attempts, fixed 1s, no bodies read",
        ),
        case(
            || Policy::fixed(SECOND).ignore_retry_after().within_retry_after(WithinRetryAfter::Replace),
            ignoring().within_retry_after(WithinRetryAfter::Replace),
            "within_retry_after",
            "3 attempts, fixed 1s, servers' delays ignored",
        ),
        case(
            || Policy::fixed(SECOND).beyond_retry_after(BeyondRetryAfter::Wait).ignore_retry_after(),
            ignoring().beyond_retry_after(BeyondRetryAfter::Wait),
            "beyond_retry_after",
            "3 attempts, fixed 1s, servers' delays ignored",
        ),
    ]
}

const FACTOR_1: &str = "3 attempts, exponential from 100ms, factor 1, at most 30s, full jitter";

/// The attempts that a call with this policy makes.
async fn attempts(policy: &Policy) -> u32 {
    let mut retry = Executor::new(policy);
    loop {
        let outcome = retry.attempt_to_end(std::future::ready(Err::<(), _>("busy"))).await;
        let number = retry.current().number();
        match retry.pause(outcome.unwrap_err()) {
            Ok(pause) => pause.await,
            Err(_) => return number,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_panic_is_a_strict_error_and_a_clamped_policy() {
    for Case { panics, builder, setting, clamped } in cases() {
        let panic = catch_unwind(panics).expect_err(setting);
        let error = builder.build().expect_err(setting);
        assert_eq!((error.setting(), error.to_string().as_str()), (setting, *panic.downcast_ref::<&str>().unwrap()));
        let policy = builder.clamp();
        assert_eq!(policy.to_string(), clamped);
        let made = attempts(&policy).await;
        let expected = if setting == "attempts" || setting == "delays" || clamped.contains("deadline") { 1 } else { 3 };
        assert_eq!(made, expected, "{clamped}");
        println!("{setting:>18} | {error} | {clamped}: {made} attempts");
    }
}

#[test]
fn valid_values_build_the_policy_of_the_constant_builder() {
    static API: Budget = Budget::new();
    let built = PolicyBuilder::decorrelated(SECOND, SECOND * 9)
        .attempts(7)
        .factor(2.0)
        .deadline(SECOND * 60)
        .attempt_timeout(SECOND * 5)
        .retry_after(SECOND * 8)
        .within_retry_after(WithinRetryAfter::Replace)
        .beyond_retry_after(BeyondRetryAfter::Wait)
        .drain_limit(10)
        .drain_timeout(ms(7))
        .budget(|| &API)
        .nested(Nested::Once)
        .events(EventLevel::Off)
        .random_source(highest);
    let expected = Policy::decorrelated(SECOND, SECOND * 9)
        .attempts(7)
        .factor(2.0)
        .deadline(SECOND * 60)
        .attempt_timeout(SECOND * 5)
        .retry_after(SECOND * 8)
        .within_retry_after(WithinRetryAfter::Replace)
        .beyond_retry_after(BeyondRetryAfter::Wait)
        .drain_limit(10)
        .drain_timeout(ms(7))
        .budget(|| &API)
        .nested(Nested::Once)
        .events(EventLevel::Off)
        .random_source(highest);
    let draws = |policy: Policy| (format!("{policy:?} {policy}"), policy.drawn_delays().collect::<Vec<_>>());
    for policy in [built.build().unwrap(), built.clamp(), expected.to_builder().clamp()] {
        assert_eq!(draws(policy), draws(expected));
    }
}

#[test]
fn each_constructor_starts_with_the_same_policy() {
    let constructors: [(PolicyBuilder, Policy); 7] = [
        (PolicyBuilder::new(), Policy::new()),
        (PolicyBuilder::default().unlimited().factor(3.0), Policy::default().unlimited().factor(3.0)),
        (PolicyBuilder::exponential(SECOND).jitter(Jitter::Equal), Policy::exponential(SECOND).jitter(Jitter::Equal)),
        (PolicyBuilder::linear(SECOND).ignore_retry_after(), Policy::linear(SECOND).ignore_retry_after()),
        (PolicyBuilder::fibonacci(SECOND).max_delay(SECOND), Policy::fibonacci(SECOND).max_delay(SECOND)),
        (PolicyBuilder::random(SECOND, SECOND), Policy::random(SECOND, SECOND)),
        (PolicyBuilder::custom(super::hour), Policy::custom(super::hour)),
    ];
    for (builder, policy) in constructors {
        assert_eq!(builder.build().unwrap().to_string(), policy.to_string());
        assert_eq!(builder.clamp().to_string(), policy.to_string());
    }
}

/// `Policy` checks after each call, so there a later value cannot repair an earlier one.
#[test]
fn order_of_the_settings_does_not_matter() {
    let in_time = PolicyBuilder::fixed(SECOND).deadline(ms(1)).attempts(1).build().unwrap();
    assert_eq!(in_time.to_string(), "1 attempt, deadline 1ms");
    assert!(PolicyBuilder::fixed(SECOND).deadline(ms(1)).jitter(Jitter::Full).build().is_ok());
    assert!(PolicyBuilder::new().attempts(0).attempts(2).build().is_ok());
}

/// A library that gets the policy of its user may set more, and must not panic because of the user's deadline.
#[test]
fn settings_of_a_clamped_policy_do_not_panic_for_its_deadline() {
    let clamped = PolicyBuilder::fixed(SECOND).deadline(ms(1)).clamp();
    let more = clamped.attempts(9).jitter(Jitter::Equal).max_delay(SECOND).attempt_timeout(ms(1)).ignore_retry_after();
    assert!(more.to_string().starts_with("9 attempts, fixed 1s, at most 1s, equal jitter, deadline 1ms"), "{more}");
    assert!(catch_unwind(|| PolicyBuilder::fixed(SECOND).clamp().attempts(0)).is_err());
    assert_eq!(more.to_builder().build().unwrap_err().setting(), "deadline");
    assert!(catch_unwind(|| Policy::fixed(SECOND).attempts(1).deadline(ms(1)).attempts(2)).is_err());
}

#[test]
fn infinite_factor_is_clamped_to_a_finite_one() {
    let policy = PolicyBuilder::exponential(SECOND).factor(f64::INFINITY).max_delay(SECOND * 9).clamp();
    assert_eq!(policy.drawn_delays().collect::<Vec<_>>(), all_ms([1000, 9000]));
}

#[test]
fn error_is_an_error_of_any_thread() {
    fn assert_error<T: Error + Send + Sync + Clone + PartialEq + 'static>(error: T) -> Box<dyn Error + Send + Sync> {
        assert!(error == error.clone());
        error.into()
    }
    let error: PolicyError = PolicyBuilder::new().attempts(0).build().unwrap_err();
    assert_eq!(assert_error(error).to_string(), error.message());
    assert_ne!(error, PolicyBuilder::new().deadline(ZERO).build().unwrap_err());
}

#[test]
fn delays_known_at_run_time_are_copied() {
    let policy = {
        let delays: Vec<Duration> = "1 4 9".split(' ').map(|s| SECOND * s.parse().unwrap()).collect();
        PolicyBuilder::delays(&delays).jitter(Jitter::Plus(ms(500))).random_source(highest).build().unwrap()
    };
    assert_eq!(policy.to_string(), "4 attempts, delays [1s, 4s, 9s], +500ms jitter");
    let drawn: Vec<_> = policy.drawn_delays().map(|delay| delay.as_millis()).collect();
    assert_eq!(drawn, [1499, 4499, 9499]);
    let longer = policy.to_builder().attempts(6).jitter(Jitter::None).build().unwrap();
    assert_eq!(longer.drawn_delays().collect::<Vec<_>>(), all_ms([1000, 4000, 9000, 9000, 9000]));
    assert_eq!(PolicyBuilder::delays(&[SECOND * 9]).deadline(SECOND * 9).build().unwrap_err().setting(), "deadline");
}

#[test]
fn at_most_eight_delays_are_copied() {
    let delays: Vec<_> = (1..=10).map(|n| SECOND * n).collect();
    assert_eq!(PolicyBuilder::delays(&delays[..8]).build().unwrap().drawn_delays().collect::<Vec<_>>(), delays[..8]);
    let error = PolicyBuilder::delays(&delays).build().unwrap_err();
    assert_eq!((error.setting(), error.to_string().contains("more than 8 delays")), ("delays", true));
    let clamped = PolicyBuilder::delays(&delays).clamp().drawn_delays().map(|delay| delay.as_secs());
    assert_eq!(clamped.collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8, 8, 8]);
}

/// A list of a file over a list that the code copied.
#[test]
fn equal_lists_are_no_change() {
    let code = PolicyBuilder::delays(&[SECOND, SECOND * 2]).build().unwrap();
    let policies = retry_runtime::config::Policies::new(Box::leak(Box::new([("it", code)])));
    assert!(policies.load(serde_json::json!({ "it": { "delays": ["1s", "2s"] } })).unwrap().is_empty());
    assert_eq!(policies.load(serde_json::json!({ "it": { "delays": ["1s", "3s"] } })).unwrap().len(), 1);
}

/// Generates builders. Most of them have settings that contradict each other.
fn any_builder() -> impl Strategy<Value = PolicyBuilder> {
    let durations = || prop_oneof![Just(ZERO), (1_u64..9).prop_map(ms), any::<Duration>(), Just(Duration::MAX)];
    let numbers = || prop_oneof![-1.0..9.0_f64, any::<f64>(), Just(f64::NAN), Just(f64::INFINITY)];
    let lists = proptest::collection::vec(durations(), 0..12);
    let backoff = (0..7_u8, durations(), durations(), lists).prop_map(|(kind, start, cap, list)| match kind {
        0 => PolicyBuilder::new(),
        1 => PolicyBuilder::exponential(start).max_delay(cap),
        2 => PolicyBuilder::fixed(start),
        3 => PolicyBuilder::fibonacci(start).max_delay(cap),
        4 => PolicyBuilder::random(start, cap),
        5 => PolicyBuilder::decorrelated(start, cap),
        _ => PolicyBuilder::delays(&list),
    });
    let jitter = prop_oneof![
        Just(Jitter::None),
        Just(Jitter::Full),
        numbers().prop_map(Jitter::Share),
        durations().prop_map(Jitter::Plus)
    ];
    let limits = (proptest::option::of(durations()), proptest::option::of(durations()));
    let rest = (proptest::option::of(0..9_u32), proptest::option::of(numbers()), any::<bool>());
    (backoff, jitter, limits, rest).prop_map(|(builder, jitter, (deadline, timeout), (attempts, factor, ignore))| {
        let builder = builder.jitter(jitter).beyond_retry_after(BeyondRetryAfter::Wait);
        let builder = deadline.map_or(builder, |deadline| builder.deadline(deadline));
        let builder = timeout.map_or(builder, |timeout| builder.attempt_timeout(timeout).drain_timeout(timeout));
        let builder = attempts.map_or(builder, |attempts| builder.attempts(attempts));
        let builder = factor.map_or(builder, |factor| builder.factor(factor));
        if ignore { builder.ignore_retry_after() } else { builder }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn any_values_are_clamped_to_a_policy_that_is_valid_but_for_its_deadline(builder in any_builder()) {
        let clamped = builder.clamp();
        if let Ok(built) = builder.build() {
            prop_assert_eq!(format!("{built:?}"), format!("{clamped:?}"));
        }
        if let Err(error) = clamped.to_builder().build() {
            prop_assert_eq!(error.message(), "the first delay reaches the `deadline`, so no retry could start: raise the deadline, or shorten the first delay");
        }
        prop_assert!(clamped.drawn_delays().take(20).count() <= 20);
        let mut retry = Executor::new(&clamped);
        while let Ok(pause) = retry.pause("busy") {
            pause.block_with(|_| ());
        }
    }
}
