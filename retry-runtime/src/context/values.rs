//! The values that the context holds, and the trait that a simulation implements.

#[cfg(feature = "testing")]
use core::any::Any;
use core::fmt::{self, Display};
use core::time::Duration;

use crate::classify::class::Class;
use crate::classify::timed_out::TimedOut;
use crate::util::clock::Instant;

/// The deadline around a call, as the call sees it.
#[derive(Clone, Copy)]
pub(crate) struct OuterDeadline {
    pub(crate) at: Instant,
    /// The length that the policy sets, or the time that the caller had left. For the text of `TimedOut`.
    pub(crate) length: Duration,
    /// True if the deadline cuts attempts off. Otherwise it only ends the retries.
    pub(crate) cuts_off: bool,
    /// True if a caller outside this process has chosen the deadline, and not a call around this one or the service itself.
    pub(crate) is_caller: bool,
}

impl OuterDeadline {
    /// The error of an attempt that this deadline ends.
    pub(crate) fn timed_out(self) -> TimedOut {
        if self.is_caller { TimedOut::caller_deadline(self.length) } else { TimedOut::deadline(self.length) }
    }
}

/// An [`OuterDeadline`] as the context keeps it. Its end is computed only when a call looks at it, because each poll of an attempt sets it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeLimit {
    pub(crate) started: Instant,
    pub(crate) length: Duration,
    pub(crate) cuts_off: bool,
    /// True if a caller outside this process has chosen it.
    pub(crate) is_foreign: bool,
}

impl TimeLimit {
    /// The end. `None` if it is later than the clock can tell.
    pub(super) fn end(self) -> Option<Instant> {
        self.started.checked_add(self.length)
    }

    /// The deadline of a call. `None` if it is later than the clock can tell.
    pub(super) fn deadline(self, is_caller: bool) -> Option<OuterDeadline> {
        let Self { length, cuts_off, .. } = self;
        Some(OuterDeadline { at: self.end()?, length, cuts_off, is_caller })
    }

    pub(super) fn ends_before(self, other: Self) -> bool {
        match (self.end(), other.end()) {
            (Some(this), Some(other)) => this < other,
            (this, _) => this.is_some(),
        }
    }

    /// The limit that ends first. Of two that end at the same time, this one.
    pub(super) fn or_earlier(self, other: Option<Self>) -> Self {
        other.filter(|other| other.ends_before(self)).unwrap_or(self)
    }
}

/// A failed attempt of a tracked call. Its `Display` is one line: `attempt 1: status 503`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FailedAttempt {
    /// The number of the attempt in its call, starting at 1.
    pub attempt: u32,
    /// The class of the failure.
    pub class: Class,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// The text of the failure, as in the event: the error with its sources. User names, passwords, queries and fragments
    /// of URLs are masked, and control characters are escaped.
    pub reason: String,
    /// The delay before the next attempt; `None` if the call gave up.
    pub delay: Option<Duration>,
}

impl Display for FailedAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt {}: {}", self.attempt, self.reason)
    }
}

/// The retries and failures inside a tracked future so far.
#[derive(Debug, Default)]
pub(crate) struct TrackedAttempts {
    pub(crate) retries: u32,
    /// The number of failures to keep; 0 if only retries are counted.
    pub(crate) capacity: usize,
    pub(crate) failures: Vec<FailedAttempt>,
}

impl TrackedAttempts {
    pub(crate) const fn new() -> Self {
        Self { retries: 0, capacity: 0, failures: Vec::new() }
    }

    /// Keeps a failure. It replaces the oldest one if the capacity is reached. The capacity must not be 0.
    pub(super) fn keep(&mut self, failure: FailedAttempt) {
        if self.failures.len() >= self.capacity {
            self.failures.remove(0);
        }
        self.failures.push(failure);
    }
}

/// The interface of a simulation. Implemented by [`Simulation`](crate::testing::Simulation), which is in a higher layer.
#[cfg(feature = "testing")]
pub(crate) trait Simulated: Send + Sync {
    /// The limit on the attempts of a call.
    fn max_attempts(&self) -> Option<u32>;

    fn skips_delays(&self) -> bool;

    /// The next random number, from 0 to 1.
    fn random(&self) -> f64;

    /// The recorder of events. It is type-erased, because its type is in the layer `observe`, above this one.
    fn recorder(&self) -> &(dyn Any + Send + Sync);
}
