//! The formulas and defaults of delays.
//!
//! `n` is the number of the retry, from 1, so the first delay is always the start itself. All arithmetic saturates at
//! [`Duration::MAX`]. The functions that every failing call runs are marked `#[inline]`, because `retry-runtime` calls them
//! from another crate.

use std::time::Duration;

use crate::keywords::Jitter;
pub use crate::keywords::{DECORRELATED_FACTOR, FACTOR};

/// The default of `attempts`.
pub const ATTEMPTS: u32 = 3;
/// The default of `start`.
pub const START: Duration = Duration::from_millis(100);
/// The default of `max_delay` in the standard schedule.
pub const MAX_DELAY: Duration = Duration::from_secs(30);
/// The default of `jitter` in the standard schedule.
pub const JITTER: Jitter = Jitter::Full;
/// The default of `retry_after`.
pub const RETRY_AFTER: Duration = Duration::from_secs(60);
/// The default of `drain_limit`. Above that size, a new connection costs less than the rest of the body.
pub const DRAIN_LIMIT: usize = 64 * 1024;

/// `start · factorⁿ⁻¹`
#[inline(always)]
#[must_use]
pub fn exponential(start: Duration, factor: f64, n: u32) -> Duration {
    // Exact and without floating point, because the first delay is the only one that most failing calls need.
    if n == 1 {
        return start;
    }
    scale(start, power(factor, n - 1))
}

/// `start · n`
#[inline]
#[must_use]
pub fn linear(start: Duration, n: u32) -> Duration {
    times(start, u64::from(n))
}

/// `start` times 1, 1, 2, 3, 5, 8 …
#[inline]
#[must_use]
pub fn fibonacci(start: Duration, n: u32) -> Duration {
    times(start, fibonacci_number(n))
}

/// The element of a list of delays for retry `n`. The last one repeats.
///
/// # Panics
///
/// If the list is empty.
#[inline]
#[must_use]
pub fn listed<T: Copy>(delays: &[T], n: u32) -> T {
    delays[(n as usize - 1).min(delays.len() - 1)]
}

/// A uniform delay between `start` and `max_delay`. `random` is in `[0, 1)`.
#[inline]
#[must_use]
pub fn random(start: Duration, max_delay: Duration, random: f64) -> Duration {
    between(start, max_delay, random)
}

/// A uniform delay between `start` and the previous delay times `factor`, at most `max_delay`. `random` is in `[0, 1)`.
///
/// "Decorrelated jitter" of the AWS Architecture Blog, [*Exponential Backoff And
/// Jitter*](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), where the factor is 3.
#[inline]
#[must_use]
pub fn decorrelated(start: Duration, factor: f64, previous: Duration, max_delay: Duration, random: f64) -> Duration {
    between(start, longest_decorrelated(start, factor, previous).min(max_delay), random)
}

/// The upper bound of [`decorrelated`] before the cap. The delay before the first one counts as `start`.
#[inline]
#[must_use]
pub fn longest_decorrelated(start: Duration, factor: f64, previous: Duration) -> Duration {
    scale(previous.max(start), factor)
}

/// The number of attempts for a list of delays: one more than there are delays.
#[must_use]
pub fn attempts_of(delays: usize) -> u32 {
    u32::try_from(delays).unwrap_or(u32::MAX).saturating_add(1)
}

/// The shortest and the longest possible delay. They are equal if nothing is random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The shortest delay.
    pub min: Duration,
    /// The longest delay.
    pub max: Duration,
}

impl Bounds {
    /// The bounds of a delay that is not random.
    #[inline]
    #[must_use]
    pub const fn exactly(delay: Duration) -> Self {
        Self { min: delay, max: delay }
    }
}

/// "Full" and "equal" jitter are those of the AWS Architecture Blog, [*Exponential Backoff And
/// Jitter*](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). Jitter is applied after the cap, and the
/// result does not exceed the cap.
impl Jitter {
    /// Applies jitter to a capped delay. Calls `random`, which returns a number in `[0, 1)`, only if there is jitter.
    #[inline]
    #[must_use]
    pub fn apply(self, delay: Duration, cap: Duration, random: impl FnOnce() -> f64) -> Duration {
        match self {
            Self::None => delay,
            Self::Full => between(Duration::ZERO, delay, random()),
            Self::Equal => between(delay / 2, delay, random()),
            // One multiplication, because most of the cost is the conversion to floating point and back.
            Self::Share(share) => {
                let (least, most) = (1.0 - share, 1.0 + share);
                let most = if delay.is_zero() { most } else { most.min(cap.as_secs_f64() / delay.as_secs_f64()) };
                // Rounding may exceed the bounds slightly.
                scale(delay, (least + (most - least) * within_one(random())).min(most)).min(cap)
            }
            Self::Plus(extra) => between(delay, delay.saturating_add(extra).min(cap), random()),
        }
    }

    /// The bounds of a capped delay with jitter.
    #[inline]
    #[must_use]
    pub fn bounds(self, delay: Bounds, cap: Duration) -> Bounds {
        match self {
            Self::None => delay,
            Self::Full => Bounds { min: Duration::ZERO, max: delay.max },
            Self::Equal => Bounds { min: delay.min / 2, max: delay.max },
            Self::Share(share) => {
                Bounds { min: scale(delay.min, 1.0 - share), max: scale(delay.max, 1.0 + share).min(cap) }
            }
            Self::Plus(extra) => Bounds { min: delay.min, max: delay.max.saturating_add(extra).min(cap) },
        }
    }
}

/// The point at `share` of the way from `low` to `high`. Never outside the bounds, whatever `share` is.
#[inline]
fn between(low: Duration, high: Duration, share: f64) -> Duration {
    let width = high.saturating_sub(low);
    low.saturating_add(scale(width, within_one(share)).min(width))
}

/// Forces the number of a random source into `[0, 1]`. A user's function may return NaN or a negative number, which become 0.
#[inline]
fn within_one(share: f64) -> f64 {
    if share > 0.0 { share.min(1.0) } else { 0.0 }
}

#[inline]
fn power(base: f64, exponent: u32) -> f64 {
    base.powi(i32::try_from(exponent).unwrap_or(i32::MAX))
}

/// `delay · by`, rounded to the nearest nanosecond.
#[inline]
fn scale(delay: Duration, by: f64) -> Duration {
    // Zero times infinity is NaN.
    if delay.is_zero() {
        return Duration::ZERO;
    }
    Duration::try_from_secs_f64(delay.as_secs_f64() * by).unwrap_or(Duration::MAX)
}

#[inline]
fn times(delay: Duration, by: u64) -> Duration {
    let nanos = delay.as_nanos().saturating_mul(u128::from(by));
    let seconds = u64::try_from(nanos / NANOS_PER_SECOND);
    // The remainder of a division by 10⁹ fits in a `u32`.
    seconds.map_or(Duration::MAX, |seconds| Duration::new(seconds, (nanos % NANOS_PER_SECOND) as u32))
}

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// The n-th Fibonacci number (1, 1, 2, 3 …). It saturates, so the loop ends after 94 steps.
#[inline]
fn fibonacci_number(n: u32) -> u64 {
    let (mut current, mut next) = (1_u64, 1_u64);
    for _ in 1..n.min(94) {
        (current, next) = (next, current.saturating_add(next));
    }
    current
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn seconds(delay: impl Fn(u32) -> Duration) -> [u64; 6] {
        [1, 2, 3, 4, 5, 6].map(|n| delay(n).as_secs())
    }

    #[test]
    fn formulas() {
        assert_eq!(seconds(|n| exponential(SECOND, 2.0, n)), [1, 2, 4, 8, 16, 32]);
        assert_eq!(seconds(|n| linear(SECOND, n)), [1, 2, 3, 4, 5, 6]);
        assert_eq!(seconds(|n| fibonacci(SECOND, n)), [1, 1, 2, 3, 5, 8]);
        assert_eq!(seconds(|n| listed(&[SECOND, SECOND * 5], n)), [1, 5, 5, 5, 5, 5]);
        assert_eq!(random(SECOND, SECOND * 3, 0.5), SECOND * 2);
        assert_eq!(decorrelated(SECOND, 3.0, Duration::ZERO, SECOND * 60, 0.5), SECOND * 2);
        assert_eq!(decorrelated(SECOND, 2.0, Duration::ZERO, SECOND * 60, 0.5), SECOND * 3 / 2);
        assert_eq!(decorrelated(SECOND, 1.0, SECOND, SECOND * 60, 0.5), SECOND);
        assert_eq!(decorrelated(SECOND, 3.0, SECOND * 5, SECOND * 7, 1.0), SECOND * 7);
    }

    #[test]
    fn growth_saturates() {
        let day = SECOND * 86_400;
        assert_eq!(exponential(day, 1000.0, u32::MAX), Duration::MAX);
        assert_eq!(exponential(Duration::ZERO, 1000.0, u32::MAX), Duration::ZERO);
        assert_eq!(fibonacci(day, u32::MAX), Duration::MAX);
        assert_eq!(linear(Duration::MAX, 2), Duration::MAX);
        assert_eq!(longest_decorrelated(SECOND, 3.0, Duration::MAX), Duration::MAX);
    }

    #[test]
    fn the_first_exponential_delay_is_exact() {
        let odd = Duration::new(u64::MAX, 999_999_999);
        assert_eq!(exponential(odd, 2.0, 1), odd);
    }

    #[test]
    fn jitter_stays_inside_its_bounds() {
        let cap = SECOND * 11;
        let plus = [SECOND / 2, SECOND * 5, Duration::MAX].map(Jitter::Plus);
        for jitter in [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Share(0.2)].into_iter().chain(plus) {
            let Bounds { min, max } = jitter.bounds(Bounds::exactly(SECOND * 10), cap);
            for random in [0.0, 0.5, 1.0, f64::NAN, -1.0, 7.0] {
                let delay = jitter.apply(SECOND * 10, cap, || random);
                assert!((min..=max).contains(&delay), "{jitter:?} {random}: {delay:?}");
            }
        }
    }
}
