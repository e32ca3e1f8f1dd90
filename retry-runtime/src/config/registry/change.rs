//! The policies that a load changed.

use core::fmt::{self, Display, Formatter};

use crate::policy::backoff::Backoff;
use crate::policy::builder::Policy;

/// A policy that a load changed: ``billing: 3 attempts, fixed 1s -> 5 attempts, fixed 1s``.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PolicyChange {
    /// The name.
    pub name: &'static str,
    /// The policy of calls that started before the load.
    pub old: Policy,
    /// The policy of calls that start after it.
    pub new: Policy,
}

impl Display for PolicyChange {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { name, old, new } = self;
        write!(f, "{name}: {old} -> {new}")
    }
}

impl Policy {
    /// Compares every value that a file can change.
    pub(super) fn is_configured_as(&self, other: &Self) -> bool {
        // Without `..`, so that the compiler reports a new field. A file cannot change functions, so they are equal.
        let Self {
            attempts,
            backoff,
            cap,
            jitter,
            random: _,
            deadline,
            attempt_timeout,
            retry_after,
            within_retry_after,
            beyond_retry_after,
            drain_limit,
            drain_timeout,
            budget: _,
            nested,
            events,
            is_clamped: _,
        } = *self;
        backoff.is_same_as(&other.backoff)
            && (attempts, cap, jitter) == (other.attempts, other.cap, other.jitter)
            && (deadline, attempt_timeout) == (other.deadline, other.attempt_timeout)
            && (retry_after, within_retry_after, beyond_retry_after)
                == (other.retry_after, other.within_retry_after, other.beyond_retry_after)
            && (drain_limit, drain_timeout) == (other.drain_limit, other.drain_timeout)
            && (nested, events) == (other.nested, other.events)
    }
}

impl Backoff {
    fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exponential { start, factor }, Self::Exponential { start: other, factor: other_factor })
            | (Self::Decorrelated { start, factor }, Self::Decorrelated { start: other, factor: other_factor }) => {
                (start, factor) == (other, other_factor)
            }
            (Self::Fixed(start), Self::Fixed(other))
            | (Self::Linear(start), Self::Linear(other))
            | (Self::Fibonacci(start), Self::Fibonacci(other))
            | (Self::Random(start), Self::Random(other)) => start == other,
            (Self::Delays(delays), Self::Delays(other)) => delays == other,
            (Self::Delays(list), Self::Owned(owned)) | (Self::Owned(owned), Self::Delays(list)) => {
                owned.iter().eq(list.iter().copied())
            }
            (Self::Owned(delays), Self::Owned(other)) => delays.iter().eq(other.iter()),
            (Self::Custom(_), Self::Custom(_)) => true,
            _ => false,
        }
    }
}
