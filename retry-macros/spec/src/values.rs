//! The known values of one policy, and the delays that follow from them.

use std::time::Duration;

use crate::key::Key;
use crate::keywords::{Backoff, BeyondRetryAfter, Events, Jitter, Nested, OnError, UNLIMITED, WithinRetryAfter};
use crate::schedule::{self, Bounds};

/// The values of the arguments that are written.
///
/// A field is `None` if the argument is not written, or if its value is unknown: the attribute does not know the values of
/// constants, and cannot use a value that it failed to read. [`Values::is_written`] tells the two apart.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// All arguments that are written, in that order.
    pub written: Vec<Key>,
    /// The source of the values that are not written.
    pub base: Base,
    /// [`UNLIMITED`] for `"unlimited"`.
    pub attempts: Option<u32>,
    /// Unknown if it is a function.
    pub backoff: Option<Backoff>,
    /// `true` if `backoff` is a function.
    pub backoff_is_function: bool,
    /// The value of `start`.
    pub start: Option<Duration>,
    /// The value of `factor`.
    pub factor: Option<f64>,
    /// The value of `max_delay`.
    pub max_delay: Option<Duration>,
    /// Each element may be unknown by itself.
    pub delays: Option<Vec<Option<Duration>>>,
    /// The value of `jitter`.
    pub jitter: Option<Jitter>,
    /// The value of `retry_after`.
    pub retry_after: Option<RetryAfter>,
    /// The value of `within_retry_after`.
    pub within_retry_after: Option<WithinRetryAfter>,
    /// The value of `beyond_retry_after`.
    pub beyond_retry_after: Option<BeyondRetryAfter>,
    /// The value of `drain_limit`.
    pub drain_limit: Option<usize>,
    /// The value of `drain_timeout`.
    pub drain_timeout: Option<Duration>,
    /// The value of `deadline`.
    pub deadline: Option<Duration>,
    /// The value of `attempt_timeout`.
    pub attempt_timeout: Option<Duration>,
    /// The value of `nested`.
    pub nested: Option<Nested>,
    /// The value of `events`.
    pub events: Option<Events>,
    /// The value of `hedge`.
    pub hedge: Option<Duration>,
    /// Unknown if it is a function.
    pub on_error: Option<OnError>,
    /// `true` for `on_status = []`.
    pub on_status_is_empty: Option<bool>,
    /// The value of `name`.
    pub name: Option<String>,
}

/// The source of the values that are not written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Base {
    /// The defaults of the attribute.
    #[default]
    Defaults,
    /// A policy of the code, which is unknown here.
    Policy,
}

/// The limit on the delays of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// Accepts a delay up to this one.
    AtMost(Duration),
    /// Ignores all delays.
    Ignore,
}

impl Values {
    /// Returns `true` if the argument is written, whether its value is known or not.
    #[must_use]
    pub fn is_written(&self, key: Key) -> bool {
        self.written.contains(&key)
    }

    /// The argument of these that is written first.
    #[must_use]
    pub fn first_of(&self, keys: &[Key]) -> Option<Key> {
        self.first_where(|key| keys.contains(&key))
    }

    /// The argument with this property that is written first.
    #[must_use]
    pub fn first_where(&self, has_property: impl Fn(Key) -> bool) -> Option<Key> {
        self.written.iter().copied().find(|key| has_property(*key))
    }

    /// Returns `true` if nothing is retried.
    #[must_use]
    pub fn is_one_attempt(&self) -> bool {
        self.attempts == Some(1)
    }

    /// Returns `true` for the standard schedule, whose default is full jitter and a cap. A schedule that is written is exact.
    #[must_use]
    pub fn is_standard_schedule(&self) -> bool {
        self.first_of(&[Key::Backoff, Key::Start, Key::Factor, Key::Delays]).is_none()
    }

    /// The maximum number of attempts. `None` if it is unknown or unlimited.
    #[must_use]
    pub fn max_attempts(&self) -> Option<u32> {
        if self.is_written(Key::Attempts) {
            return self.attempts.filter(|attempts| *attempts != UNLIMITED);
        }
        if self.is_written(Key::Delays) {
            return self.delays.as_ref().map(|delays| schedule::attempts_of(delays.len()));
        }
        self.by_default(schedule::ATTEMPTS)
    }

    /// The first delay of a computed backoff. `None` if it is unknown.
    #[must_use]
    pub fn start_or_default(&self) -> Option<Duration> {
        self.or_default(Key::Start, self.start, schedule::START)
    }

    /// The factor of an exponential or a decorrelated backoff. `None` if it is unknown.
    #[must_use]
    pub fn factor_or_default(&self) -> Option<f64> {
        let default = self.backoff_or_default().map_or(schedule::FACTOR, Backoff::default_factor);
        self.or_default(Key::Factor, self.factor, default)
    }

    /// The backoff. `None` if it is unknown or a function.
    #[must_use]
    pub fn backoff_or_default(&self) -> Option<Backoff> {
        self.or_default(Key::Backoff, self.backoff, Backoff::Exponential)
    }

    /// The cap on delays, which is [`Duration::MAX`] if there is none. `None` if it is unknown.
    #[must_use]
    pub fn max_delay_or_default(&self) -> Option<Duration> {
        let standard = if self.is_standard_schedule() { schedule::MAX_DELAY } else { Duration::MAX };
        self.or_default(Key::MaxDelay, self.max_delay, standard)
    }

    /// The jitter. `None` if it is unknown.
    #[must_use]
    pub fn jitter_or_default(&self) -> Option<Jitter> {
        let standard = if self.is_standard_schedule() { schedule::JITTER } else { Jitter::None };
        self.or_default(Key::Jitter, self.jitter, standard)
    }

    /// The delay before retry `n`, from 1, without jitter. `None` if it is random or unknown.
    #[must_use]
    pub fn delay(&self, n: u32) -> Option<Duration> {
        if self.is_written(Key::Delays) {
            let delays = self.delays.as_ref().filter(|delays| !delays.is_empty())?;
            return schedule::listed(delays, n);
        }
        let backoff = self.backoff_or_default()?;
        let start = self.start_or_default()?;
        let computed = match backoff {
            Backoff::Exponential => schedule::exponential(start, self.factor_or_default()?, n),
            Backoff::Fixed => start,
            Backoff::Linear => schedule::linear(start, n),
            Backoff::Fibonacci => schedule::fibonacci(start, n),
            Backoff::Random | Backoff::Decorrelated => return None,
        };
        Some(computed.min(self.max_delay_or_default()?))
    }

    /// The shortest possible delay before the first retry. `None` if it is unknown.
    #[must_use]
    pub fn shortest_first_delay(&self) -> Option<Duration> {
        if self.random_backoff().is_some() && !self.is_written(Key::Delays) {
            return Some(self.start_or_default()?.min(self.max_delay_or_default()?));
        }
        let delay = Bounds::exactly(self.delay(1)?);
        Some(self.jitter_or_default()?.bounds(delay, Duration::MAX).min)
    }

    /// The backoff, if it is one with random delays.
    pub(crate) fn random_backoff(&self) -> Option<Backoff> {
        self.backoff.filter(|backoff| backoff.is_random())
    }

    fn or_default<T>(&self, key: Key, value: Option<T>, default: T) -> Option<T> {
        if value.is_some() || self.is_written(key) { value } else { self.by_default(default) }
    }

    fn by_default<T>(&self, default: T) -> Option<T> {
        (self.base == Base::Defaults).then_some(default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn with(written: &[Key], set: impl FnOnce(&mut Values)) -> Values {
        let mut values = Values { written: written.to_vec(), ..Values::default() };
        set(&mut values);
        values
    }

    fn milliseconds(values: &Values) -> [Option<u128>; 5] {
        [1, 2, 3, 4, 5].map(|n| values.delay(n).map(|delay| delay.as_millis()))
    }

    #[test]
    fn delays_of_known_values() {
        let backoff = |backoff| {
            with(&[Key::Backoff, Key::Start], |values| {
                (values.backoff, values.start) = (Some(backoff), Some(SECOND));
            })
        };
        let capped = with(&[Key::Start, Key::MaxDelay], |values| {
            (values.start, values.max_delay) = (Some(SECOND), Some(SECOND * 3));
        });
        let factor = with(&[Key::Start, Key::Factor], |values| {
            (values.start, values.factor) = (Some(SECOND), Some(1.5));
        });
        let list = with(&[Key::Delays], |values| values.delays = Some(vec![Some(SECOND), Some(SECOND * 5)]));
        for (values, delays) in [
            (Values::default(), [100, 200, 400, 800, 1600]),
            (factor, [1000, 1500, 2250, 3375, 5062]),
            (capped, [1000, 2000, 3000, 3000, 3000]),
            (backoff(Backoff::Fixed), [1000; 5]),
            (backoff(Backoff::Linear), [1000, 2000, 3000, 4000, 5000]),
            (backoff(Backoff::Fibonacci), [1000, 1000, 2000, 3000, 5000]),
            (list, [1000, 5000, 5000, 5000, 5000]),
        ] {
            assert_eq!(milliseconds(&values), delays.map(Some), "{values:?}");
        }
    }

    #[test]
    fn delays_of_unknown_values_are_unknown() {
        for key in [Key::Start, Key::Factor, Key::MaxDelay, Key::Delays, Key::Backoff] {
            assert_eq!(milliseconds(&with(&[key], |_| ())), [None; 5], "{key}");
        }
        let unknown = Values { base: Base::Policy, ..Values::default() };
        assert_eq!((unknown.delay(1), unknown.max_attempts(), unknown.jitter_or_default()), (None, None, None));
        let random = with(&[Key::Backoff], |values| values.backoff = Some(Backoff::Random));
        assert_eq!(random.delay(1), None);
    }

    #[test]
    fn the_shortest_first_delay_depends_on_the_jitter() {
        let with_jitter = |jitter| with(&[Key::Jitter], |values| values.jitter = Some(jitter));
        for (values, milliseconds) in [
            (Values::default(), Some(0)),
            (with_jitter(Jitter::None), Some(100)),
            (with_jitter(Jitter::Equal), Some(50)),
            (with_jitter(Jitter::Share(0.2)), Some(80)),
            (with(&[Key::Jitter], |_| ()), None),
            (with(&[Key::Start], |_| ()), None),
            (with(&[Key::Start], |values| values.start = Some(SECOND)), Some(1000)),
            (with(&[Key::Backoff], |values| values.backoff = Some(Backoff::Random)), Some(100)),
        ] {
            assert_eq!(values.shortest_first_delay().map(|delay| delay.as_millis()), milliseconds, "{values:?}");
        }
    }

    #[test]
    fn the_number_of_attempts() {
        assert_eq!(Values::default().max_attempts(), Some(3));
        assert_eq!(with(&[Key::Attempts], |values| values.attempts = Some(7)).max_attempts(), Some(7));
        assert_eq!(with(&[Key::Attempts], |values| values.attempts = Some(UNLIMITED)).max_attempts(), None);
        assert_eq!(with(&[Key::Attempts], |_| ()).max_attempts(), None);
        assert_eq!(with(&[Key::Delays], |values| values.delays = Some(vec![None; 3])).max_attempts(), Some(4));
        assert_eq!(with(&[Key::Delays], |_| ()).max_attempts(), None);
    }
}
