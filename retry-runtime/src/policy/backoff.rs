//! The schedule of delays, before the cap, the jitter and the server's delay. Does not read the clock. The formulas are those of
//! `retry_spec::schedule`, which the attribute uses too.

use core::time::Duration;

use retry_spec::schedule::{self, Bounds};

use crate::policy::attempt::Attempt;
use crate::policy::owned_delays::OwnedDelays;

/// How the delay grows from retry to retry.
///
/// `n` counts retries from 1, so the first delay is always the start itself. All arithmetic
/// saturates at [`Duration::MAX`]; the policy's [`max_delay`](crate::Policy::max_delay) caps what comes out.
/// Made by the constructors of [`Policy`](crate::Policy), such as [`Policy::linear`](crate::Policy::linear).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Backoff {
    /// `start · factorⁿ⁻¹`.
    Exponential {
        start: Duration,
        /// The factor from each delay to the next. Finite and at least 1.
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
    /// Uniform between the start and the previous delay times the factor, the first "previous" being the start.
    ///
    /// "Decorrelated jitter" of the AWS Architecture Blog, *Exponential Backoff And Jitter* (2015).
    Decorrelated {
        /// The lower bound.
        start: Duration,
        /// The factor from the previous delay to the upper bound. Finite and at least 1.
        factor: f64,
    },
    /// These delays in this order; the last one repeats. Never empty.
    Delays(&'static [Duration]),
    /// The same for a list that is only known at run time.
    Owned(OwnedDelays),
    /// A function of the attempt that has just failed: its number, the time elapsed, the last failure.
    Custom(fn(&Attempt) -> Duration),
}

impl Backoff {
    /// Returns true for a function, which may read the start of the call.
    #[inline(always)]
    pub(crate) const fn is_custom(&self) -> bool {
        matches!(self, Self::Custom(_))
    }

    /// The backoff with another factor. `None` if it has no factor.
    pub(super) const fn with_factor(self, factor: f64) -> Option<Self> {
        match self {
            Self::Exponential { start, .. } => Some(Self::Exponential { start, factor }),
            Self::Decorrelated { start, .. } => Some(Self::Decorrelated { start, factor }),
            _ => None,
        }
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
            Self::Random(start) => schedule::random(start, cap, random()),
            Self::Decorrelated { start, factor } => schedule::decorrelated(start, factor, previous, cap, random()),
            Self::Custom(function) => function(&attempt()),
            _ => self.computed(n),
        }
    }

    /// The bounds of the delay after attempt `attempt.number()`, where the delay before was at most `previous`.
    pub(crate) fn bounds(&self, attempt: &Attempt, previous: Duration, cap: Duration) -> Bounds {
        match *self {
            Self::Custom(function) => Bounds::exactly(function(attempt)),
            Self::Random(start) => Bounds { min: start, max: cap },
            Self::Decorrelated { start, factor } => {
                Bounds { min: start, max: schedule::longest_decorrelated(start, factor, previous) }
            }
            _ => Bounds::exactly(self.computed(attempt.number())),
        }
    }

    /// The delay after attempt `n`, where that alone decides.
    #[inline(always)]
    fn computed(&self, n: u32) -> Duration {
        match *self {
            Self::Exponential { start, factor } => schedule::exponential(start, factor, n),
            Self::Linear(start) => schedule::linear(start, n),
            Self::Fibonacci(start) => schedule::fibonacci(start, n),
            Self::Delays(delays) => schedule::listed(delays, n),
            Self::Owned(delays) => delays.get(n),
            Self::Fixed(delay) | Self::Random(delay) | Self::Decorrelated { start: delay, .. } => delay,
            Self::Custom(_) => Duration::ZERO,
        }
    }
}
