//! The rules that a valid policy keeps, and the nearest policy that keeps them. The messages are those of
//! `retry_spec::invalid`.

use core::time::Duration;

use retry_spec::invalid::Invalid;

use crate::policy::backoff::Backoff;
use crate::policy::builder::Policy;
use crate::policy::jitter::Jitter;
use crate::policy::retry_after::{BeyondRetryAfter, WithinRetryAfter};

impl Policy {
    /// Panics if the policy breaks a rule. Every setter whose value a rule is about calls it, so the last call sees the
    /// complete policy.
    #[track_caller]
    pub(super) const fn checked(self) -> Self {
        match self.broken_rule() {
            Some(rule) => rule.panic(),
            None => self,
        }
    }

    pub(super) const fn broken_rule(&self) -> Option<Invalid> {
        match self.broken_by_one_value() {
            // These rules read the first delay, which an empty list does not have.
            None => self.broken_by_two_values(),
            broken => broken,
        }
    }

    const fn broken_by_one_value(&self) -> Option<Invalid> {
        if self.attempts == 0 {
            return Some(Invalid::Attempts);
        }
        match self.backoff {
            Backoff::Delays([]) => return Some(Invalid::NoDelays),
            Backoff::Exponential { factor, .. } | Backoff::Decorrelated { factor, .. } if !is_factor(factor) => {
                return Some(Invalid::Factor);
            }
            _ => {}
        }
        match self.jitter {
            Jitter::Share(share) if !(share > 0.0 && share <= 1.0) => return Some(Invalid::Share),
            Jitter::Plus(extra) if extra.is_zero() => return Some(Invalid::Plus),
            _ => {}
        }
        match (self.deadline, self.attempt_timeout, self.drain_timeout) {
            (Some(deadline), ..) if deadline.is_zero() => Some(Invalid::Deadline),
            (_, Some(timeout), _) if timeout.is_zero() => Some(Invalid::AttemptTimeout),
            (.., Some(timeout)) if timeout.is_zero() => Some(Invalid::DrainTimeout),
            _ => None,
        }
    }

    const fn broken_by_two_values(&self) -> Option<Invalid> {
        if self.retry_after.is_none() {
            if !matches!(self.within_retry_after, WithinRetryAfter::Raise) {
                return Some(Invalid::WithinIgnored);
            }
            if !matches!(self.beyond_retry_after, BeyondRetryAfter::GiveUp) {
                return Some(Invalid::BeyondIgnored);
            }
        }
        let Some(first) = self.first_delay() else { return None };
        if nanos(first) > nanos(self.cap) {
            return Some(Invalid::MaxDelay);
        }
        match self.deadline {
            Some(deadline) if self.attempts > 1 && !self.is_clamped => {
                let fits = shortest(self.jitter, nanos(first)) < nanos(deadline);
                if fits { None } else { Some(Invalid::DeadlineReached) }
            }
            _ => None,
        }
    }

    /// The nearest policy that breaks no rule. A deadline that the first delay reaches stays, because the engine ends such a
    /// call by its deadline, and is no longer an error in later setters.
    pub(super) const fn clamped(mut self) -> Self {
        if self.attempts == 0 {
            self.attempts = 1;
        }
        self.backoff = match self.backoff {
            Backoff::Exponential { start, factor } => Backoff::Exponential { start, factor: clamped_factor(factor) },
            Backoff::Decorrelated { start, factor } => Backoff::Decorrelated { start, factor: clamped_factor(factor) },
            Backoff::Delays([]) => {
                // No delay means no retry, even if `attempts` is set: retries without a delay would flood the service.
                self.attempts = 1;
                Backoff::Fixed(Duration::ZERO)
            }
            backoff => backoff,
        };
        self.jitter = match self.jitter {
            Jitter::Share(share) if share > 1.0 => Jitter::Share(1.0),
            Jitter::Share(share) if share > 0.0 => Jitter::Share(share),
            Jitter::Share(_) => Jitter::None,
            Jitter::Plus(extra) if extra.is_zero() => Jitter::None,
            jitter => jitter,
        };
        self.cap = match self.first_delay() {
            Some(first) if nanos(first) > nanos(self.cap) => first,
            _ => self.cap,
        };
        if self.retry_after.is_none() {
            self.within_retry_after = WithinRetryAfter::Raise;
            self.beyond_retry_after = BeyondRetryAfter::GiveUp;
        }
        self.limits_clamped()
    }

    const fn limits_clamped(mut self) -> Self {
        self.is_clamped = true;
        if is_zero(self.deadline) {
            // Not `None`: without a limit on attempts, the call would never end.
            self.deadline = Some(Duration::from_nanos(1));
        }
        if is_zero(self.attempt_timeout) {
            self.attempt_timeout = None;
        }
        if is_zero(self.drain_timeout) {
            self.drain_limit = 0;
            self.drain_timeout = None;
        }
        self
    }

    /// The first delay before jitter, or the shortest one if it is random; `None` for a custom backoff.
    pub(crate) const fn first_delay(&self) -> Option<Duration> {
        match self.backoff {
            Backoff::Exponential { start, .. }
            | Backoff::Fixed(start)
            | Backoff::Linear(start)
            | Backoff::Fibonacci(start)
            | Backoff::Random(start)
            | Backoff::Decorrelated { start, .. } => Some(start),
            Backoff::Delays(delays) => Some(delays[0]),
            Backoff::Owned(delays) => Some(delays.first()),
            Backoff::Custom(_) => None,
        }
    }
}

const fn is_zero(limit: Option<Duration>) -> bool {
    match limit {
        Some(limit) => limit.is_zero(),
        None => false,
    }
}

const fn is_factor(factor: f64) -> bool {
    factor >= 1.0 && factor.is_finite()
}

/// The nearest valid factor. Delays do not grow with a factor that is not a number.
const fn clamped_factor(factor: f64) -> f64 {
    if is_factor(factor) {
        factor
    } else if factor > 1.0 {
        f64::MAX
    } else {
        1.0
    }
}

/// A duration in a type that can be compared: the comparison of `Duration` is not `const`.
const fn nanos(duration: Duration) -> u128 {
    duration.as_nanos()
}

/// The smallest delay after jitter, as [`Jitter::bounds`], but `const` and in nanoseconds.
const fn shortest(jitter: Jitter, nanos: u128) -> u128 {
    match jitter {
        Jitter::None | Jitter::Plus(_) => nanos,
        Jitter::Full => 0,
        Jitter::Equal => nanos / 2,
        Jitter::Share(p) => (nanos as f64 * (1.0 - p)) as u128,
    }
}
