//! The rules about the schedule.

use super::broken::{At, Rules};
use crate::duration::human;
use crate::key::Key;
use crate::keywords::{Backoff, Jitter};
use crate::number;
use crate::values::Base;

impl Rules<'_> {
    pub(super) fn schedule(&mut self) {
        self.policy_defines_the_whole_schedule();
        self.delays_define_the_whole_backoff();
        self.one_attempt_has_no_schedule();
        self.delays_are_not_empty();
        self.every_delay_is_used();
        self.factor_is_at_least_one();
        self.random_source_is_read();
        // Each of the following rules is about arguments that have no effect beside `policy`, `delays` or a single attempt. The
        // rules above have reported that.
        let values = self.values;
        if values.is_written(Key::Policy) || values.is_written(Key::Delays) || values.is_one_attempt() {
            return;
        }
        self.factor_is_used();
        self.function_as_backoff_takes_no_start();
        self.random_backoff_needs_max_delay();
        self.random_backoff_has_no_jitter();
        self.max_delay_is_at_least_start();
        self.fixed_backoff_has_no_max_delay();
    }

    /// `policy` replaces all arguments of the schedule.
    fn policy_defines_the_whole_schedule(&mut self) {
        let replaced: Vec<Key> = Key::ALL.iter().copied().filter(|key| key.is_part_of_policy()).collect();
        self.excludes(Key::Policy, &replaced, |other| {
            format!("`policy` already defines `{other}`: remove one of them")
        });
    }

    /// `delays` lists every delay, so nothing is computed or capped.
    fn delays_define_the_whole_backoff(&mut self) {
        let replaced = [Key::Backoff, Key::Start, Key::Factor, Key::MaxDelay];
        self.excludes(Key::Delays, &replaced, |other| {
            format!("`delays` lists every delay, so `{other}` has no effect: remove one of them")
        });
    }

    /// With one attempt, the arguments about retries have no effect.
    fn one_attempt_has_no_schedule(&mut self) {
        let values = self.values;
        for key in values.written.iter().copied().filter(|key| values.is_one_attempt() && key.is_about_retries()) {
            self.broken(key, At::Key(key), format!("`{key}` has no effect: `attempts = 1` never retries"));
        }
    }

    fn delays_are_not_empty(&mut self) {
        if self.values.delays.as_ref().is_some_and(Vec::is_empty) {
            self.broken(Key::Delays, At::Value(Key::Delays), number::NO_DELAYS);
        }
    }

    /// `delays` has no more elements than there are retries. A single attempt is reported by `one_attempt_has_no_schedule`.
    fn every_delay_is_used(&mut self) {
        let (Some(attempts @ 2..), Some(delays)) = (self.values.attempts, &self.values.delays) else { return };
        let (count, retries) = (delays.len(), usize::try_from(attempts - 1).unwrap_or(usize::MAX));
        if count > retries {
            let at = self.later(At::Value(Key::Attempts), At::Delay(retries));
            let needed = count + 1;
            let unused = match count - retries {
                1 => "the last delay".to_owned(),
                unused => format!("the last {unused} delays"),
            };
            let fix = format!("write `attempts = {needed}`, or remove {unused}");
            let message = format!("{count} delays need {needed} attempts, but `attempts` is {attempts}: {fix}");
            self.broken(Key::Delays, at, message);
        }
    }

    /// `factor` is at least 1, so that delays do not shrink from retry to retry.
    fn factor_is_at_least_one(&mut self) {
        if let Some(Err(message)) = self.values.factor.map(number::factor) {
            self.broken(Key::Factor, At::Value(Key::Factor), message);
        }
    }

    /// `random_source` is read by jitter or by a random backoff. `policy_defines_the_whole_schedule` reports it beside `policy`.
    fn random_source_is_read(&mut self) {
        let values = self.values;
        if !values.is_written(Key::RandomSource) || values.is_written(Key::Policy) {
            return;
        }
        // An unknown jitter or backoff may be random.
        let jitter_is_random = values.jitter_or_default() != Some(Jitter::None);
        let backoff_is_random = values.is_written(Key::Backoff)
            && !values.backoff_is_function
            && values.backoff.is_none_or(Backoff::is_random);
        let is_read = jitter_is_random || backoff_is_random;
        if is_read {
            return;
        }
        // The argument that switched the jitter off: `jitter` itself, or one that replaces the standard schedule.
        let switches = [Key::Jitter, Key::Backoff, Key::Start, Key::Factor, Key::Delays];
        let cause = switches.into_iter().find(|key| values.is_written(*key)).unwrap_or(Key::RandomSource);
        let message = "`random_source` has no effect without `jitter`: write for example `jitter = \"full\"`";
        self.broken_by(Key::RandomSource, cause, message);
    }

    /// `factor` belongs to the exponential and the decorrelated backoff.
    fn factor_is_used(&mut self) {
        let Some(backoff) = self.values.backoff.filter(|backoff| !backoff.has_factor()) else { return };
        if self.values.is_written(Key::Factor) {
            let word = backoff.keyword();
            let message = format!("`factor` has no effect with `backoff = \"{word}\"`: remove one of them");
            self.broken_by(Key::Factor, Key::Backoff, message);
        }
    }

    /// A function as `backoff` computes the delays itself, so `start` and `factor` have no effect.
    fn function_as_backoff_takes_no_start(&mut self) {
        if self.values.backoff_is_function {
            self.excludes(Key::Backoff, &[Key::Start, Key::Factor], |other| {
                format!("`{other}` has no effect with a function as `backoff`: remove one of them")
            });
        }
    }

    /// A random backoff needs `max_delay` as its upper bound.
    fn random_backoff_needs_max_delay(&mut self) {
        let values = self.values;
        if values.is_written(Key::MaxDelay) || values.base == Base::Policy {
            return;
        }
        if let Some(backoff) = values.random_backoff() {
            self.broken(Key::Backoff, At::Value(Key::Backoff), needs_upper_bound(backoff));
        }
    }

    /// A random backoff has no jitter, which would only change its bounds.
    fn random_backoff_has_no_jitter(&mut self) {
        let (Some(backoff), Some(jitter)) = (self.values.random_backoff(), self.values.jitter) else { return };
        if jitter != Jitter::None {
            self.broken_by(Key::Jitter, Key::Backoff, already_random(backoff));
        }
    }

    /// The cap is not below the first delay, which may be the default.
    fn max_delay_is_at_least_start(&mut self) {
        let values = self.values;
        let (Some(first), Some(cap)) = (values.start_or_default(), values.max_delay) else { return };
        if cap < first && !values.backoff_is_function {
            let cap_at = At::Value(Key::MaxDelay);
            let at = if values.is_written(Key::Start) { self.later(At::Value(Key::Start), cap_at) } else { cap_at };
            let (first, cap) = (human(first), human(cap));
            let message = format!("`max_delay` ({cap}) is shorter than `start` ({first}): write at least {first}");
            self.broken(Key::MaxDelay, at, message);
        }
    }

    /// Delays that do not grow never reach a cap, unless jitter makes them longer.
    fn fixed_backoff_has_no_max_delay(&mut self) {
        let values = self.values;
        let (Some(Backoff::Fixed), Some(cap)) = (values.backoff, values.max_delay) else { return };
        let (Some(jitter), Some(start)) = (values.jitter_or_default(), values.start_or_default()) else { return };
        if start <= cap && !jitter.lengthens() {
            let message = "`max_delay` has no effect with `backoff = \"fixed\"`: remove one of them";
            self.broken_by(Key::MaxDelay, Key::Backoff, message);
        }
    }
}

/// The message for jitter on a random backoff.
#[must_use]
pub fn already_random(backoff: Backoff) -> String {
    format!("`backoff = \"{}\"` is already random: remove `jitter`", backoff.keyword())
}

/// The message for a random backoff without a cap.
#[must_use]
pub fn needs_upper_bound(backoff: Backoff) -> String {
    format!("`backoff = \"{}\"` needs an upper bound: write for example `max_delay = \"30s\"`", backoff.keyword())
}
