//! The delays and limits of a policy, as the engine reads them.

use core::time::Duration;

use retry_spec::schedule::Bounds;

use crate::classify::drain::DrainLimits;
use crate::context::simulation;
use crate::policy::attempt::Attempt;
use crate::policy::backoff::Backoff;
use crate::policy::builder::{Policy, UNLIMITED};
use crate::policy::nested::Nested;
use crate::policy::retry_after::WithinRetryAfter;

/// The limit on delays that are drawn again. The distribution of a decorrelated delay does not change any more long before it.
const MOST_DRAWN_AGAIN: u32 = 1000;

/// Delays and limits, as the engine reads them.
impl Policy {
    /// The shortest delay before the first retry; `None` for a custom backoff.
    #[cfg(feature = "serde")]
    pub(crate) fn shortest_first(&self) -> Option<Duration> {
        self.first_delay().map(|first| self.jitter.bounds(Bounds::exactly(first), self.cap).min)
    }

    /// The delay after attempt `n`, without a server's delay. It is drawn from `random`, not from `self.random`, because a
    /// simulation replaces the source. `attempt` is called only for a custom backoff.
    #[inline(always)]
    pub(crate) fn delay(
        &self,
        n: u32,
        attempt: impl FnOnce() -> Attempt,
        previous: Duration,
        random: fn() -> f64,
    ) -> Drawn {
        self.with_jitter(self.backoff.delay(n, attempt, previous, self.cap, random), random)
    }

    /// The delay before attempt `number`, drawn again, for a caller that has not kept it. Zero if no delay depends on it.
    pub(crate) fn drawn_before(&self, number: u32, random: fn() -> f64) -> Duration {
        if !matches!(self.backoff, Backoff::Decorrelated { .. }) {
            return Duration::ZERO;
        }
        (1..number.min(MOST_DRAWN_AGAIN)).fold(Duration::ZERO, |previous, n| {
            let attempt = || Attempt::new(n, None, None, None, None, None);
            self.delay(n, attempt, previous, random).delay
        })
    }

    /// Caps a computed delay, and adds the jitter.
    #[inline(always)]
    pub(crate) fn with_jitter(&self, backoff: Duration, random: fn() -> f64) -> Drawn {
        let backoff = backoff.min(self.cap);
        Drawn { backoff, delay: self.jitter.apply(backoff, self.cap, random) }
    }

    /// The delay for a server's delay of `asked`. The part of the drawn delay above the schedule's own lower bound is added
    /// to it, or to that bound if it is longer and the policy does not replace it.
    pub(crate) fn with_server_delay(&self, asked: Duration, drawn: Drawn) -> Duration {
        let lowest = self.lowest(drawn);
        let base = match self.within_retry_after {
            WithinRetryAfter::Raise => asked.max(lowest),
            WithinRetryAfter::Replace => asked,
        };
        base.saturating_add(drawn.delay.saturating_sub(lowest))
    }

    /// The shortest delay that could have been drawn.
    fn lowest(&self, drawn: Drawn) -> Duration {
        let lowest = match self.backoff {
            Backoff::Random(start) | Backoff::Decorrelated { start, .. } => start.min(drawn.backoff),
            _ => drawn.backoff,
        };
        self.jitter.bounds(Bounds::exactly(lowest), self.cap).min
    }

    /// Returns true if the engine needs more state than the number of the attempt: the start of the call, or the previous
    /// delay.
    pub(crate) const fn needs_history(&self) -> bool {
        self.deadline.is_some() || matches!(self.backoff, Backoff::Custom(_) | Backoff::Decorrelated { .. })
    }

    /// Returns true if calls inside an attempt see something of it.
    #[inline(always)]
    pub(crate) const fn sets_context(&self) -> bool {
        self.deadline.is_some() || !matches!(self.nested, Nested::Always)
    }

    /// Returns true if a time limit may cut an attempt off.
    #[inline(always)]
    pub(crate) const fn limits_attempts(&self) -> bool {
        self.deadline.is_some() || self.attempt_timeout.is_some()
    }

    /// The limit on attempts, if there is one: the policy's, or a lower one of the current simulation.
    pub(crate) fn max_attempts(&self) -> Option<u32> {
        let limit = self.attempt_limit();
        if limit == UNLIMITED { None } else { Some(limit) }
    }

    /// [`max_attempts`](Self::max_attempts) as a plain number, which is [`UNLIMITED`] without a limit.
    #[inline(always)]
    pub(crate) fn attempt_limit(&self) -> u32 {
        simulation::max_attempts().map_or(self.attempts, |limit| limit.min(self.attempts))
    }

    /// The limits for draining a response that is retried.
    pub(crate) const fn drain_limits(&self) -> DrainLimits {
        DrainLimits { bytes: self.drain_limit, timeout: self.drain_timeout }
    }
}

/// A delay drawn from the schedule.
#[derive(Clone, Copy)]
pub(crate) struct Drawn {
    /// The delay before jitter.
    backoff: Duration,
    /// The delay with jitter.
    pub(crate) delay: Duration,
}
