//! The delays of a policy as an iterator.

use std::fmt::Debug;
use std::time::Duration;

use retry_runtime::testing::Simulation;
use retry_runtime::{Attempt, Jitter, Policy};

use crate::support::{SECOND, all_ms, highest, lowest, ms};

fn drawn(policy: Policy) -> Vec<Duration> {
    policy.drawn_delays().collect()
}

#[test]
fn there_is_one_delay_for_each_retry() {
    assert_eq!(drawn(Policy::exponential(SECOND).attempts(4)), all_ms([1000, 2000, 4000]));
    assert!(drawn(Policy::exponential(SECOND).attempts(1)).is_empty());
    assert_eq!(Policy::fixed(SECOND).unlimited().drawn_delays().take(5000).count(), 5000);
}

#[test]
fn cap_and_jitter_apply() {
    let policy = Policy::exponential(SECOND).max_delay(SECOND * 3).jitter(Jitter::Equal).attempts(4);
    assert_eq!(drawn(policy.random_source(lowest)), all_ms([500, 1000, 1500]));
    let highest = drawn(policy.random_source(highest));
    assert!(highest.iter().zip(all_ms([999, 1998, 2998])).all(|(drawn, least)| *drawn > least), "{highest:?}");
}

#[test]
fn previous_delay_is_kept_for_decorrelated_jitter() {
    let policy = Policy::decorrelated(SECOND, SECOND * 60).factor(2.0).attempts(5).random_source(|| 1.0);
    assert_eq!(drawn(policy), all_ms([2000, 4000, 8000, 16_000]));
}

#[test]
fn custom_backoff_gets_an_attempt() {
    fn of(attempt: &Attempt) -> Duration {
        assert_eq!((attempt.attempts(), attempt.last_failure()), (Some(4), None));
        assert!(attempt.remaining().unwrap() <= SECOND * 60);
        SECOND * attempt.number()
    }
    let policy = Policy::custom(of).attempts(4).deadline(SECOND * 60);
    assert_eq!(drawn(policy), all_ms([1000, 2000, 3000]));
}

#[test]
fn iterator_ends_when_the_delays_reach_the_deadline() {
    let policy = Policy::fixed(SECOND).attempts(9);
    assert_eq!(drawn(policy.deadline(ms(2001))), all_ms([1000, 1000]));
    assert_eq!(drawn(policy.deadline(ms(2000))), all_ms([1000]));
    let mut ended = policy.deadline(ms(2000)).drawn_delays();
    assert_eq!((ended.next(), ended.next(), ended.next()), (Some(SECOND), None, None));
}

#[test]
fn size_hint_is_the_number_of_delays() {
    let mut delays = Policy::fixed(SECOND).attempts(3).drawn_delays();
    assert_eq!(delays.size_hint(), (2, Some(2)));
    delays.next();
    assert_eq!(delays.size_hint(), (1, Some(1)));
    assert_eq!((delays.by_ref().count(), delays.size_hint()), (1, (0, Some(0))));
    assert_eq!(Policy::fixed(SECOND).attempts(3).deadline(ms(1500)).drawn_delays().size_hint(), (0, Some(2)));
    assert_eq!(Policy::fixed(SECOND).unlimited().drawn_delays().size_hint(), (usize::MAX, None));
}

#[test]
fn clone_continues_from_the_same_delay() {
    let mut delays = Policy::exponential(SECOND).attempts(9).drawn_delays();
    delays.nth(2);
    assert_eq!(delays.clone().next(), Some(SECOND * 8));
    assert_eq!(delays.next(), Some(SECOND * 8));
    fn assert_storable<T: Clone + Send + Sync + Debug + 'static>(_: T) {}
    assert_storable(delays);
}

#[test]
fn seeded_simulation_repeats_the_delays() {
    let delays = |seed| Simulation::new().seed(seed).run_blocking(|| drawn(Policy::new().attempts(9)));
    assert_eq!(delays(7), delays(7));
    assert_ne!(delays(7), delays(8));
}
