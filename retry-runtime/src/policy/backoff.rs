//! The schedule of delays, before cap, jitter and the server have their say. Knows no clock.

use core::time::Duration;

use crate::policy::attempt::Attempt;
use crate::policy::jitter::between;

/// How the delay grows from retry to retry.
///
/// `n` counts retries from 1, so the first delay is always the start itself. All arithmetic
/// saturates at [`Duration::MAX`]; the policy's [`max_delay`](crate::Policy::max_delay) caps what comes out.
/// Made by the constructors of [`Policy`](crate::Policy), such as [`Policy::linear`](crate::Policy::linear).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Backoff {
    /// `start · factorⁿ⁻¹`.
    Exponential {
        /// The first delay.
        start: Duration,
        /// What each delay is multiplied with to give the next one; finite and at least 1.
        factor: f64,
    },
    /// Always the same delay.
    Fixed(Duration),
    /// `start · n`.
    Linear(Duration),
    /// `start · F(n)`: the start once, twice, 3, 5, 8 … times, the first two delays being equal.
    Fibonacci(Duration),
    /// Uniform between this and the policy's `max_delay`, both included.
    Random(Duration),
    /// Uniform between this and three times the previous delay, the first "previous" being this.
    ///
    /// "Decorrelated jitter" of the AWS Architecture Blog, *Exponential Backoff And Jitter* (2015).
    Decorrelated(Duration),
    /// These delays in this order; the last one repeats. Never empty.
    Delays(&'static [Duration]),
    /// A function of the attempt that has just failed: its number, the time elapsed, the last failure.
    Custom(fn(&Attempt) -> Duration),
}

/// What a delay may turn out to be, before the cap: equal where nothing is random.
pub(crate) struct Bounds {
    pub(crate) min: Duration,
    pub(crate) max: Duration,
}

impl Bounds {
    pub(crate) const fn exactly(delay: Duration) -> Self {
        Self { min: delay, max: delay }
    }
}

impl Backoff {
    /// Whether it is a function, which may ask when the call began.
    #[cfg(feature = "reqwest")]
    #[inline(always)]
    pub(crate) const fn is_custom(&self) -> bool {
        matches!(self, Self::Custom(_))
    }

    /// The delay after attempt `attempt.number()`, drawn with `random` where it is random.
    #[inline(always)]
    pub(crate) fn delay(
        &self,
        n: u32,
        attempt: impl FnOnce() -> Attempt,
        previous: Duration,
        cap: Duration,
        random: fn() -> f64,
    ) -> Duration {
        match *self {
            Self::Random(start) => between(start, cap, random()),
            Self::Decorrelated(start) => between(start, times(previous.max(start), 3).min(cap), random()),
            Self::Custom(function) => function(&attempt()),
            _ => self.computed(n),
        }
    }

    /// The bounds of the delay after attempt `attempt.number()`, where the delay before was at most `previous`.
    pub(crate) fn bounds(&self, attempt: &Attempt, previous: Duration, cap: Duration) -> Bounds {
        match *self {
            Self::Custom(function) => Bounds::exactly(function(attempt)),
            Self::Random(start) => Bounds { min: start, max: cap },
            Self::Decorrelated(start) => Bounds { min: start, max: times(previous.max(start), 3) },
            _ => Bounds::exactly(self.computed(attempt.number())),
        }
    }

    /// The delay after attempt `n`, where that alone decides.
    #[inline(always)]
    fn computed(&self, n: u32) -> Duration {
        match *self {
            // Exactly, and without floating point: the one delay that most failing calls need.
            Self::Exponential { start, .. } if n == 1 => start,
            Self::Exponential { start, factor } => scale(start, power(factor, n - 1)),
            Self::Linear(start) => times(start, u64::from(n)),
            Self::Fibonacci(start) => times(start, fibonacci(n)),
            Self::Delays(delays) => delays[(n as usize - 1).min(delays.len() - 1)],
            Self::Fixed(delay) | Self::Random(delay) | Self::Decorrelated(delay) => delay,
            Self::Custom(_) => Duration::ZERO,
        }
    }
}

fn power(base: f64, exponent: u32) -> f64 {
    base.powi(i32::try_from(exponent).unwrap_or(i32::MAX))
}

/// `delay · by`, saturating; the product is rounded to the nearest nanosecond.
pub(crate) fn scale(delay: Duration, by: f64) -> Duration {
    // Zero times infinity would be NaN.
    if delay.is_zero() {
        return Duration::ZERO;
    }
    Duration::try_from_secs_f64(delay.as_secs_f64() * by).unwrap_or(Duration::MAX)
}

fn times(delay: Duration, by: u64) -> Duration {
    let nanos = delay.as_nanos().saturating_mul(u128::from(by));
    let seconds = u64::try_from(nanos / NANOS_PER_SECOND);
    // The remainder of a division by 10⁹ fits.
    seconds.map_or(Duration::MAX, |s| Duration::new(s, (nanos % NANOS_PER_SECOND) as u32))
}

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// The n-th Fibonacci number (1, 1, 2, 3 …), saturating, so that it takes at most 94 steps.
fn fibonacci(n: u32) -> u64 {
    let (mut this, mut next) = (1_u64, 1_u64);
    for _ in 1..n.min(94) {
        (this, next) = (next, this.saturating_add(next));
    }
    this
}
