//! The schedule: the delays of a policy, computed without waiting.

use core::ops::RangeInclusive;
use core::time::Duration;

use retry_spec::schedule::Bounds;

use crate::policy::attempt::Attempt;
use crate::policy::builder::Policy;
use crate::util::clock::Instant;

/// An iterator over the delays of a [`Policy`], each as a range from its shortest to its longest value. Returned by
/// [`Policy::schedule`].
#[derive(Clone, Debug)]
pub struct Schedule {
    policy: Policy,
    number: u32,
    /// The sum of the shortest delays so far.
    waited: Duration,
    /// The longest value of the previous delay.
    previous: Duration,
}

impl Policy {
    /// Returns the delays of this policy, without waiting. For each retry it yields the range from the shortest to the
    /// longest delay; both ends are equal if nothing is random.
    ///
    /// The iterator ends after the last retry, or when even the shortest delays add up to the deadline. It may be endless
    /// if the policy has no limit on attempts.
    ///
    /// ```
    /// use std::time::Duration;
    /// use retry_runtime::Policy;
    ///
    /// let second = Duration::from_secs(1);
    /// let schedule = Policy::exponential(second).attempts(4).schedule();
    /// let longest: Vec<_> = schedule.map(|delay| *delay.end()).collect();
    /// assert_eq!(longest, [second, second * 2, second * 4]);
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
