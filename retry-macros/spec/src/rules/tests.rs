use std::time::Duration;

use super::*;
use crate::key::{Key, Scope};
use crate::keywords::{Backoff, Jitter};
use crate::values::Base;

const SECOND: Duration = Duration::from_secs(1);

fn with(written: &[Key], set: impl FnOnce(&mut Values)) -> Values {
    let mut values = Values { written: written.to_vec(), ..Values::default() };
    set(&mut values);
    values
}

#[test]
fn no_argument_breaks_no_rule() {
    assert_eq!(check(&Values::default()), []);
}

#[test]
fn unknown_values_break_no_rule_about_values() {
    for key in Key::ALL.iter().filter(|key| !matches!(key, Key::HedgeMax)) {
        assert_eq!(check(&with(&[*key], |_| ())), [], "{key}");
    }
    let all = [Key::Start, Key::MaxDelay, Key::Deadline, Key::AttemptTimeout, Key::Jitter, Key::Backoff, Key::Attempts];
    assert_eq!(check(&with(&all, |_| ())), []);
}

#[test]
fn the_position_is_that_of_the_later_argument() {
    let start_and_cap = |values: &mut Values| {
        (values.start, values.max_delay) = (Some(SECOND * 2), Some(SECOND));
    };
    for written in [[Key::Start, Key::MaxDelay], [Key::MaxDelay, Key::Start]] {
        let [broken] = check(&with(&written, start_and_cap)).try_into().unwrap();
        assert_eq!((broken.key, broken.at), (Key::MaxDelay, At::Value(written[1])));
    }
}

#[test]
fn an_argument_that_excludes_others_is_reported_once_for_those_before_it() {
    let positions =
        |written: &[Key]| check(&with(written, |_| ())).into_iter().map(|broken| broken.at).collect::<Vec<_>>();
    assert_eq!(positions(&[Key::Policy, Key::Start, Key::Factor]), [At::Key(Key::Start), At::Key(Key::Factor)]);
    assert_eq!(positions(&[Key::Start, Key::Factor, Key::Policy]), [At::Key(Key::Policy)]);
}

/// Without an exception here, a new argument of the schedule is in both lists.
#[test]
fn arguments_of_the_schedule_end_the_standard_one_and_are_replaced_by_delays() {
    for key in Key::ALL.iter().copied().filter(|key| key.row().scope == Scope::Schedule) {
        let ends_standard = !with(&[key], |_| ()).is_standard_schedule();
        let keeps_standard = matches!(key, Key::MaxDelay | Key::Jitter | Key::RandomSource);
        assert_eq!(ends_standard, !keeps_standard, "`{key}` in the list of `Values::is_standard_schedule`");
        let is_replaced = check(&with(&[Key::Delays, key], |_| ())).iter().any(|broken| broken.key == Key::Delays);
        let is_kept = matches!(key, Key::Delays | Key::Jitter | Key::RandomSource);
        assert_eq!(is_replaced, !is_kept, "`{key}` in the list of `delays_define_the_whole_backoff`");
    }
}

#[test]
fn the_first_delay_that_is_never_used_is_reported() {
    let values = with(&[Key::Attempts, Key::Delays], |values| {
        (values.attempts, values.delays) = (Some(2), Some(vec![Some(SECOND), None, None]));
    });
    let [broken] = check(&values).try_into().unwrap();
    assert_eq!(broken.at, At::Delay(1));
    assert_eq!(
        broken.message,
        "3 delays need 4 attempts, but `attempts` is 2: write `attempts = 4`, or remove the last 2 delays"
    );
}

#[test]
fn values_of_an_unknown_policy_break_no_rule() {
    let over_policy = |key, set: fn(&mut Values)| {
        let mut values = with(&[key], set);
        values.base = Base::Policy;
        check(&values)
    };
    assert_eq!(over_policy(Key::MaxDelay, |values| values.max_delay = Some(Duration::from_millis(1))), []);
    assert_eq!(over_policy(Key::Backoff, |values| values.backoff = Some(Backoff::Random)), []);
    assert_eq!(over_policy(Key::Deadline, |values| values.deadline = Some(Duration::from_nanos(1))), []);
    assert_eq!(over_policy(Key::Jitter, |values| values.jitter = Some(Jitter::None)), []);
}
