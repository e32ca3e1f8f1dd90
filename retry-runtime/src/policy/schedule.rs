//! The delays of a policy, without sleeping.

use core::ops::RangeInclusive;
use core::time::Duration;

use retry_spec::schedule::Bounds;

use crate::policy::attempt::Attempt;
use crate::policy::builder::Policy;
use crate::util::clock::Instant;

/// The delays of a [`Policy`], each as the shortest and the longest it may be. See [`Policy::schedule`].
#[derive(Clone, Debug)]
pub struct Schedule {
    policy: Policy,
    number: u32,
    /// The sum of the shortest delays so far.
    waited: Duration,
    /// The longest that the delay before may have been.
    previous: Duration,
}

impl Policy {
    /// The delays that this policy would wait, without waiting: for each retry the shortest and the longest
    /// that it may be, equal where nothing is random. Ends with the last retry, and where even the shortest
    /// delays add up to the deadline; a policy without a limit on attempts may give an endless iterator.
    ///
    /// ```
    /// use std::time::Duration;
    /// use retry_runtime::Policy;
    ///
    /// let second = Duration::from_secs(1);
    /// let delays: Vec<_> = Policy::exponential(second).attempts(4).schedule().map(|d| *d.end()).collect();
    /// assert_eq!(delays, [second, second * 2, second * 4]);
    /// ```
    pub fn schedule(&self) -> Schedule {
        Schedule { policy: *self, number: 0, waited: Duration::ZERO, previous: Duration::ZERO }
    }
}

impl Iterator for Schedule {
    type Item = RangeInclusive<Duration>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self { policy, number, waited, previous } = self;
        if policy.max_attempts().is_some_and(|limit| *number + 1 >= limit) {
            return None;
        }
        *number = number.saturating_add(1);
        let attempt = Attempt::new(*number, policy.max_attempts(), Some(Instant::now()), policy.deadline, None, None);
        let Bounds { min, max } = policy.backoff.bounds(&attempt, *previous, policy.cap);
        let capped = Bounds { min: min.min(policy.cap), max: max.min(policy.cap) };
        let delay = policy.jitter.bounds(capped, policy.cap);
        *waited = waited.saturating_add(delay.min);
        *previous = delay.max;
        (policy.deadline.is_none_or(|deadline| *waited < deadline)).then_some(delay.min..=delay.max)
    }
}
