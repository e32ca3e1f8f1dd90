//! Backoff and jitter: the delays that the attribute waits on a paused clock, and those that `Policy::schedule` returns.

use std::ops::RangeInclusive;
use std::time::Duration;

use proptest::prelude::*;
use retry_runtime::{Attempt, Executor, Jitter, Policy};

use crate::support::{Recorder, SECOND, all_ms, highest, lowest, middle, ms, recorded_sleep, run};

type Plain = Result<(), &'static str>;

/// The delays of a policy without randomness, whose bounds are equal.
fn exact(policy: Policy) -> Vec<Duration> {
    let exact = |delay: RangeInclusive<Duration>| {
        assert_eq!(delay.start(), delay.end());
        *delay.end()
    };
    policy.schedule().map(exact).collect()
}

/// Checks that a function with these arguments and this policy have the same delays, in milliseconds.
macro_rules! schedules {
    ($($name:ident: ($($arguments:tt)*), $policy:expr => $delays:expr;)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            let delays = all_ms($delays);
            assert_eq!(run!(($($arguments)*) Plain, Err("no")).delays, delays, "the attribute");
            assert_eq!(exact($policy), delays, "the policy");
        }
    )*};
}

const MIXED: &[Duration] = &[SECOND, ms(5), ms(70)];

fn squares(attempt: &Attempt) -> Duration {
    SECOND * attempt.number() * attempt.number()
}

schedules! {
    exponential_doubles:
        (attempts = 6, backoff = "exponential", start = "1s"), Policy::exponential(SECOND).attempts(6)
        => [1000, 2000, 4000, 8000, 16000];
    start_alone_means_exponential:
        (attempts = 4, start = "1s"), Policy::exponential(SECOND).attempts(4) => [1000, 2000, 4000];
    exponential_multiplies_by_the_factor:
        (attempts = 5, start = "1s", factor = 3), Policy::exponential(SECOND).factor(3.0).attempts(5)
        => [1000, 3000, 9000, 27000];
    exponential_multiplies_by_a_fraction:
        (attempts = 4, start = "1s", factor = 1.5), Policy::exponential(SECOND).factor(1.5).attempts(4)
        => [1000, 1500, 2250];
    exponential_with_factor_one_stays_constant:
        (attempts = 4, start = "1s", factor = 1), Policy::exponential(SECOND).factor(1.0).attempts(4)
        => [1000, 1000, 1000];
    factor_alone_starts_at_100_ms:
        (attempts = 4, factor = 4), Policy::exponential(ms(100)).factor(4.0).attempts(4) => [100, 400, 1600];
    fixed_stays_constant:
        (attempts = 5, backoff = "fixed", start = "7ms"), Policy::fixed(ms(7)).attempts(5) => [7, 7, 7, 7];
    linear_adds_the_start:
        (attempts = 5, backoff = "linear", start = "1s"), Policy::linear(SECOND).attempts(5)
        => [1000, 2000, 3000, 4000];
    fibonacci_adds_the_previous_two:
        (attempts = 8, backoff = "fibonacci", start = "1s"), Policy::fibonacci(SECOND).attempts(8)
        => [1000, 1000, 2000, 3000, 5000, 8000, 13000];
    delays_follow_the_list:
        (delays = ["1s", "5ms", "70ms"]), Policy::delays(MIXED) => [1000, 5, 70];
    delays_repeat_the_last_of_the_list:
        (attempts = 6, delays = ["1s", "5ms"]), Policy::delays(const { &[SECOND, ms(5)] }).attempts(6)
        => [1000, 5, 5, 5, 5];
    custom_calls_the_function:
        (attempts = 4, backoff = squares), Policy::custom(squares).attempts(4) => [1000, 4000, 9000];
    max_delay_caps_exponential:
        (attempts = 6, start = "1s", max_delay = "5s"), Policy::exponential(SECOND).max_delay(ms(5000)).attempts(6)
        => [1000, 2000, 4000, 5000, 5000];
    max_delay_caps_linear:
        (attempts = 5, backoff = "linear", start = "1s", max_delay = "2500ms"),
        Policy::linear(SECOND).max_delay(ms(2500)).attempts(5) => [1000, 2000, 2500, 2500];
    max_delay_caps_fibonacci:
        (attempts = 6, backoff = "fibonacci", start = "1s", max_delay = "4s"),
        Policy::fibonacci(SECOND).max_delay(ms(4000)).attempts(6) => [1000, 1000, 2000, 3000, 4000];
    max_delay_caps_custom:
        (attempts = 4, backoff = squares, max_delay = "4500ms"),
        Policy::custom(squares).max_delay(ms(4500)).attempts(4) => [1000, 4000, 4500];
    random_with_equal_bounds_is_fixed:
        (backoff = "random", start = "1s", max_delay = "1s"), Policy::random(SECOND, SECOND) => [1000, 1000];
}

/// Checks the delays of a function with these arguments, in milliseconds, at the lower end, in the middle and at the upper end
/// of the random range.
macro_rules! drawn {
    ($($name:ident: ($($arguments:tt)*) => $delays:expr;)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            let [low, mid, high] = $delays;
            assert_eq!(run!(($($arguments)*, random_source = lowest) Plain, Err("no")).delays, all_ms(low));
            assert_eq!(run!(($($arguments)*, random_source = middle) Plain, Err("no")).delays, all_ms(mid));
            assert_eq!(run!(($($arguments)*, random_source = highest) Plain, Err("no")).delays, all_ms(high));
        }
    )*};
}

// Tokio's timer rounds up to whole milliseconds, so `highest` leads to the whole delay.
drawn! {
    full_jitter_ranges_from_zero_to_the_delay:
        (start = "1s", jitter = "full") => [[0, 0], [500, 1000], [1000, 2000]];
    equal_jitter_ranges_from_half_the_delay_to_the_delay:
        (start = "1s", jitter = "equal") => [[500, 1000], [750, 1500], [1000, 2000]];
    share_jitter_ranges_around_the_delay:
        (start = "1s", jitter = "20%") => [[800, 1600], [1000, 2000], [1200, 2400]];
    share_jitter_does_not_exceed_max_delay:
        (start = "1s", max_delay = "1100ms", jitter = "20%") => [[800, 880], [950, 990], [1100, 1100]];
    share_jitter_of_100_percent_ranges_from_zero_to_double:
        (backoff = "fixed", start = "1s", jitter = "100%") => [[0, 0], [1000, 1000], [2000, 2000]];
    jitter_applies_after_max_delay:
        (attempts = 4, start = "1s", max_delay = "2s", jitter = "full")
        => [[0, 0, 0], [500, 1000, 1000], [1000, 2000, 2000]];
    jitter_applies_to_listed_delays:
        (delays = ["1s", "4s"], jitter = "equal") => [[500, 2000], [750, 3000], [1000, 4000]];
    random_is_uniform_between_start_and_max_delay:
        (backoff = "random", start = "1s", max_delay = "3s") => [[1000, 1000], [2000, 2000], [3000, 3000]];
    decorrelated_is_uniform_up_to_three_times_the_previous_delay:
        (attempts = 4, backoff = "decorrelated", start = "1s", max_delay = "10s")
        => [[1000, 1000, 1000], [2000, 3500, 5500], [3000, 9000, 10000]];
    factor_is_the_growth_of_the_upper_bound_of_decorrelated_delays:
        (attempts = 4, backoff = "decorrelated", start = "1s", factor = 2, max_delay = "10s")
        => [[1000, 1000, 1000], [1500, 2000, 2500], [2000, 4000, 8000]];
    additive_jitter_ranges_from_the_delay_to_that_much_more:
        (start = "1s", jitter = "+500ms") => [[1000, 2000], [1250, 2250], [1500, 2500]];
    additive_jitter_does_not_exceed_max_delay:
        (start = "1s", max_delay = "2100ms", jitter = "+500ms") => [[1000, 2000], [1250, 2050], [1500, 2100]];
    standard_schedule_has_full_jitter:
        (attempts = 4) => [[0, 0, 0], [50, 100, 200], [100, 200, 400]];
    max_delay_keeps_the_rest_of_the_standard_schedule:
        (attempts = 4, max_delay = "150ms") => [[0, 0, 0], [50, 75, 75], [100, 150, 150]];
    jitter_keeps_the_rest_of_the_standard_schedule:
        (attempts = 4, jitter = "equal") => [[50, 100, 200], [75, 150, 300], [100, 200, 400]];
}

#[tokio::test]
async fn delays_are_not_rounded_before_they_reach_the_timer() {
    #[retry_runtime::retry(
        start = "1us", factor = 1.5, attempts = 4, jitter = "full", random_source = middle, sleep = recorded_sleep
    )]
    async fn call() -> Result<(), &'static str> {
        Err("no")
    }
    let recorder = Recorder::new();
    recorder.record_sleeps(call()).await.unwrap_err();
    assert_eq!(recorder.slept(), [500, 750, 1125].map(Duration::from_nanos));
}

#[test]
fn standard_policy_has_the_documented_schedule() {
    let capped: Vec<_> = Policy::new().attempts(12).schedule().collect();
    assert!(capped.iter().all(|delay| delay.start().is_zero()));
    let longest: Vec<_> = capped.iter().map(|delay| *delay.end()).collect();
    assert_eq!(longest, all_ms([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]));
    assert_eq!(Policy::new().schedule().count(), 2);
}

fn nan() -> f64 {
    f64::NAN
}

fn minus_one() -> f64 {
    -1.0
}

fn two() -> f64 {
    2.0
}

fn infinity() -> f64 {
    f64::INFINITY
}

#[tokio::test(start_paused = true)]
async fn random_numbers_out_of_range_are_clamped() {
    macro_rules! first_delay {
        ($source:ident) => {
            run!((attempts = 2, start = "1s", jitter = "20%", random_source = $source) Plain, Err("no"))
                .delays[0]
        };
    }
    assert_eq!(first_delay!(nan), ms(800));
    assert_eq!(first_delay!(minus_one), ms(800));
    assert_eq!(first_delay!(two), ms(1200));
    assert_eq!(first_delay!(infinity), ms(1200));
}

#[test]
fn schedule_returns_bounds_with_jitter() {
    let bounds = |policy: Policy| policy.attempts(2).schedule().next().unwrap();
    let base = Policy::exponential(SECOND);
    assert_eq!(bounds(base.jitter(Jitter::Full)), Duration::ZERO..=SECOND);
    assert_eq!(bounds(base.jitter(Jitter::Equal)), ms(500)..=SECOND);
    assert_eq!(bounds(base.jitter(Jitter::Share(0.25))), ms(750)..=ms(1250));
    assert_eq!(bounds(base.max_delay(ms(1100)).jitter(Jitter::Share(0.25))), ms(750)..=ms(1100));
    assert_eq!(bounds(base.jitter(Jitter::Plus(ms(300)))), SECOND..=ms(1300));
    assert_eq!(bounds(base.max_delay(ms(1100)).jitter(Jitter::Plus(ms(300)))), SECOND..=ms(1100));
    assert_eq!(bounds(Policy::random(SECOND, ms(4000))), SECOND..=ms(4000));
    assert_eq!(bounds(Policy::decorrelated(SECOND, ms(9000))), SECOND..=ms(3000));
    let second = Policy::decorrelated(SECOND, ms(5000)).schedule().nth(1);
    assert_eq!(second, Some(SECOND..=ms(5000)));
}

#[test]
fn jitter_on_a_decorrelated_delay_widens_the_later_ones() {
    let policy = Policy::decorrelated(ms(100), SECOND * 60).jitter(Jitter::Share(0.5)).attempts(4);
    let longest: Vec<_> = policy.schedule().map(|delay| *delay.end()).collect();
    assert_eq!(longest, [450_000, 2_025_000, 9_112_500].map(Duration::from_micros));
}

#[test]
fn schedule_ends_at_the_deadline() {
    let policy = Policy::fixed(SECOND).unlimited().deadline(ms(3500));
    assert_eq!(exact(policy), all_ms([1000, 1000, 1000]));
    let policy = Policy::fixed(SECOND).unlimited().deadline(ms(3000));
    assert_eq!(exact(policy), all_ms([1000, 1000]));
}

#[test]
fn single_attempt_has_an_empty_schedule() {
    assert_eq!(Policy::new().attempts(1).schedule().count(), 0);
}

#[test]
fn delays_saturate_at_the_millionth_attempt() {
    const CENTURIES: Duration = Duration::from_secs(500 * 365 * 86_400);
    let at_the_end = |policy: Policy| policy.unlimited().schedule().nth(1_000_000);
    assert_eq!(at_the_end(Policy::exponential(SECOND)), Some(Duration::MAX..=Duration::MAX));
    assert_eq!(at_the_end(Policy::exponential(SECOND).factor(1e300)), Some(Duration::MAX..=Duration::MAX));
    assert_eq!(at_the_end(Policy::exponential(Duration::ZERO).factor(1e300)), Some(Duration::ZERO..=Duration::ZERO));
    assert_eq!(at_the_end(Policy::exponential(SECOND).max_delay(CENTURIES)), Some(CENTURIES..=CENTURIES));
    assert_eq!(at_the_end(Policy::fibonacci(Duration::MAX)), Some(Duration::MAX..=Duration::MAX));
    assert_eq!(at_the_end(Policy::linear(Duration::MAX)), Some(Duration::MAX..=Duration::MAX));
    assert_eq!(at_the_end(Policy::linear(SECOND)), Some(SECOND * 1_000_001..=SECOND * 1_000_001));
    let share = Policy::fixed(Duration::MAX).jitter(Jitter::Share(1.0));
    assert_eq!(at_the_end(share), Some(Duration::ZERO..=Duration::MAX));
}

#[tokio::test]
async fn huge_delays_and_factors_do_not_panic() {
    #[retry_runtime::retry(
        attempts = 5, start = "1s", factor = 1e300, max_delay = "182500d", sleep = recorded_sleep
    )]
    async fn call() -> Result<(), &'static str> {
        Err("no")
    }
    let recorder = Recorder::new();
    recorder.record_sleeps(call()).await.unwrap_err();
    let centuries = Duration::from_secs(500 * 365 * 86_400);
    assert_eq!(recorder.slept(), [SECOND, centuries, centuries, centuries]);
}

#[tokio::test(start_paused = true)]
async fn longest_delay_works_with_tokios_timer() {
    let policy = Policy::fixed(Duration::MAX);
    let mut retry = Executor::new(&policy);
    let pause = retry.pause("no").unwrap();
    assert!(tokio::time::timeout(SECOND, pause).await.is_err());
}

/// The "Retries" section and the schedule come from two implementations of the same formulas.
#[test]
fn generated_documentation_matches_the_schedule() {
    let seconds = |policy: Policy| exact(policy).iter().map(Duration::as_secs).collect::<Vec<_>>();
    // "Waits 1 s, then 2 s."
    assert_eq!(seconds(Policy::exponential(SECOND)), [1, 2]);
    // "Waits 1 s, then 3 s, then 9 s, then 10 s."
    let policy = Policy::exponential(SECOND).factor(3.0).max_delay(SECOND * 10);
    assert_eq!(seconds(policy.attempts(5)), [1, 3, 9, 10]);
    // "Waits 2 s, then 2 s, then 4 s, then 6 s, then 10 s."
    assert_eq!(seconds(Policy::fibonacci(SECOND * 2).attempts(6)), [2, 2, 4, 6, 10]);
}

/// Any valid policy, with `cap` as its `max_delay`.
fn policies() -> impl Strategy<Value = (Policy, Duration)> {
    let start = prop_oneof![Just(Duration::ZERO), any::<u32>().prop_map(|n| ms(n.into())), any::<Duration>()];
    let more = prop_oneof![Just(Duration::ZERO), any::<u32>().prop_map(|n| ms(n.into())), Just(Duration::MAX)];
    let factor = prop_oneof![1.0..10.0_f64, 1.0..f64::MAX];
    let jitter = prop_oneof![
        Just(Jitter::None),
        Just(Jitter::Full),
        Just(Jitter::Equal),
        (f64::MIN_POSITIVE..=1.0).prop_map(Jitter::Share),
        any::<Duration>().prop_filter("jitter must not be zero", |extra| !extra.is_zero()).prop_map(Jitter::Plus)
    ];
    let random = prop_oneof![
        Just(lowest as fn() -> f64),
        Just(middle as fn() -> f64),
        Just(highest as fn() -> f64),
        Just(nan as fn() -> f64),
        Just(two as fn() -> f64),
        Just(minus_one as fn() -> f64)
    ];
    (0..6_u8, start, more, factor, jitter, random).prop_map(|(kind, start, more, factor, jitter, random)| {
        let cap = start.saturating_add(more);
        let policy = match kind {
            0 => Policy::exponential(start).factor(factor),
            1 => Policy::fixed(start),
            2 => Policy::linear(start),
            3 => Policy::fibonacci(start),
            4 => Policy::random(start, cap),
            _ => Policy::decorrelated(start, cap).factor(factor),
        };
        (policy.max_delay(cap).jitter(jitter).random_source(random).attempts(40), cap)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn delay_is_within_its_bounds_and_never_above_max_delay((policy, cap) in policies()) {
        let mut retry = Executor::new(&policy);
        let mut drawn = policy.drawn_delays();
        for bounds in policy.schedule() {
            let pause = retry.pause("no").unwrap();
            let delay = pause.delay();
            pause.block_with(|_| ());
            prop_assert_eq!(drawn.next(), Some(delay));
            prop_assert!(bounds.contains(&delay), "{delay:?} is outside {bounds:?}");
            prop_assert!(delay <= cap, "{delay:?} is above {cap:?}");
        }
        prop_assert!(retry.pause("no").is_err());
        prop_assert_eq!(drawn.next(), None);
    }
}
