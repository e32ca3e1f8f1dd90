//! The delays of a policy as an iterator, for retry loops of other crates and for timers of one's own.

use core::iter::FusedIterator;
use core::time::Duration;

use crate::context::simulation;
use crate::policy::attempt::Attempt;
use crate::policy::builder::Policy;
use crate::util::clock::Instant;

/// An iterator over delays drawn from a [`Policy`]. Returned by [`Policy::drawn_delays`].
///
/// A clone continues from the same delay and draws its own numbers.
#[derive(Clone, Debug)]
pub struct DrawnDelays {
    policy: Policy,
    /// The number of the attempt before the next delay; `None` after the end.
    number: Option<u32>,
    /// The start of the call, for a custom backoff.
    started: Option<Instant>,
    previous: Duration,
    /// The sum of the delays so far.
    waited: Duration,
}

impl Policy {
    /// Draws the delays of one call, with backoff, cap and jitter, for code that takes its delays from an iterator. There is
    /// one delay for each retry, so one fewer than [`attempts`](Self::attempts), and no end without a limit on attempts.
    ///
    /// The iterator does not wait, and does not know outcomes: servers' delays, the budget and attempt timeouts are up to the
    /// code around it. It ends early if the delays drawn so far reach the [`deadline`](Self::deadline). A custom backoff gets an
    /// [`Attempt`] without a failure. For the range of each delay, see [`schedule`](Self::schedule).
    ///
    /// ```
    /// use std::time::Duration;
    /// use retry_runtime::{Jitter, Policy};
    ///
    /// let policy = Policy::exponential(Duration::from_secs(1)).jitter(Jitter::Full).attempts(3);
    /// let delays: Vec<Duration> = policy.drawn_delays().collect();
    /// assert_eq!(delays.len(), 2);
    /// assert!(delays[0] <= Duration::from_secs(1) && delays[1] <= Duration::from_secs(2));
    /// ```
    pub fn drawn_delays(&self) -> DrawnDelays {
        DrawnDelays { policy: *self, number: Some(1), started: None, previous: Duration::ZERO, waited: Duration::ZERO }
    }
}

impl DrawnDelays {
    /// The attempt that a custom backoff gets. Its time starts with the first delay.
    fn attempt(started: &mut Option<Instant>, policy: &Policy, number: u32) -> Attempt {
        let started = started.get_or_insert_with(Instant::now);
        Attempt::new(number, policy.max_attempts(), Some(*started), policy.deadline, None, None)
    }
}

impl Iterator for DrawnDelays {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let Self { policy, number: next, started, previous, waited } = self;
        let number = next.take()?;
        if policy.max_attempts().is_some_and(|limit| number >= limit) {
            return None;
        }
        let random = simulation::random_source().unwrap_or(policy.random);
        let drawn = policy.delay(number, || Self::attempt(started, policy, number), *previous, random);
        *waited = waited.saturating_add(drawn.delay);
        if policy.deadline.is_some_and(|deadline| *waited >= deadline) {
            return None;
        }
        *previous = drawn.delay;
        *next = Some(number.saturating_add(1));
        Some(drawn.delay)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let Some(number) = self.number else { return (0, Some(0)) };
        let Some(limit) = self.policy.max_attempts() else {
            return if self.policy.deadline.is_some() { (0, None) } else { (usize::MAX, None) };
        };
        let left = usize::try_from(limit.saturating_sub(number)).unwrap_or(usize::MAX);
        (if self.policy.deadline.is_some() { 0 } else { left }, Some(left))
    }
}

impl FusedIterator for DrawnDelays {}
