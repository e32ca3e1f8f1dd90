//! `Policy`: how often and when to retry, as a plain value that `const fn`s build and check.

use core::time::Duration;

use retry_spec::schedule::{self, Bounds};

use crate::classify::drain::DrainLimits;
use crate::context::simulation;
use crate::policy::attempt::Attempt;
use crate::policy::backoff::Backoff;
use crate::policy::budget::Budget;
use crate::policy::event_level::EventLevel;
use crate::policy::jitter::{Jitter, thread_random};
use crate::policy::nested::Nested;

/// The number of attempts that means "no limit".
pub(crate) use retry_spec::keywords::UNLIMITED;

/// How often and when to retry: attempts, backoff, jitter and limits. The [`Condition`](crate::Condition) decides which
/// outcomes are retried.
///
/// A plain `Copy` value. All functions that build one are `const`, so an invalid policy in a `const` is a compile error:
///
/// ```
/// use std::time::Duration;
/// use retry_runtime::{Jitter, Policy};
///
/// const POLICY: Policy = Policy::exponential(Duration::from_millis(200))
///     .attempts(5)
///     .max_delay(Duration::from_secs(10))
///     .jitter(Jitter::Equal);
/// ```
///
/// ```compile_fail
/// # use retry_runtime::Policy;
/// const NEVER: Policy = Policy::new().attempts(0); // "`attempts` includes the first attempt …"
/// # fn main() { let _ = NEVER; }
/// ```
///
/// Constructors that name a schedule ([`fixed`](Self::fixed), [`exponential`](Self::exponential) …) add no jitter and no
/// cap. Only [`Policy::new`], which does not name a schedule, has both.
///
/// # Panics
///
/// Each builder function panics on a value that is invalid by itself or in combination with the values set so far; its
/// documentation lists them. A later call cannot repair a combination that has already panicked, so set `attempts` and
/// `jitter` before `deadline`. For a policy in a `const`, a panic is a compile error. The message describes the fix.
#[derive(Clone, Copy)]
#[must_use]
pub struct Policy {
    pub(crate) attempts: u32,
    pub(crate) backoff: Backoff,
    pub(crate) cap: Duration,
    pub(crate) jitter: Jitter,
    pub(crate) random: fn() -> f64,
    pub(crate) deadline: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    /// The longest server delay to honour; `None` ignores servers' delays.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) drain_limit: usize,
    /// `None` if only the delay before the next attempt limits the time.
    pub(crate) drain_timeout: Option<Duration>,
    // A function, because a constant may not refer to a static with interior mutability before Rust 1.91.
    pub(crate) budget: Option<fn() -> &'static Budget>,
    pub(crate) nested: Nested,
    pub(crate) events: EventLevel,
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

/// Constructors, one for each backoff.
impl Policy {
    /// Creates the standard policy: 3 attempts, exponential backoff from 100 ms with factor 2, capped at 30 s, full
    /// jitter, and no deadline. A server's delay is honoured up to 60 s.
    pub const fn new() -> Self {
        Self { cap: schedule::MAX_DELAY, jitter: Jitter::Full, ..Self::exponential(schedule::START) }
    }

    /// Exponential backoff: delays of `start`, `start · 2`, `start · 4` … To change the factor 2, use
    /// [`factor`](Self::factor).
    pub const fn exponential(start: Duration) -> Self {
        Self::of(Backoff::Exponential { start, factor: schedule::FACTOR })
    }

    /// Fixed backoff: the same delay before each retry. A delay of zero yields to other tasks once, and then retries at
    /// once.
    pub const fn fixed(delay: Duration) -> Self {
        Self::of(Backoff::Fixed(delay))
    }

    /// Linear backoff: delays of `start`, `start · 2`, `start · 3` …
    pub const fn linear(start: Duration) -> Self {
        Self::of(Backoff::Linear(start))
    }

    /// Fibonacci backoff: delays of `start` times 1, 1, 2, 3, 5, 8 …
    pub const fn fibonacci(start: Duration) -> Self {
        Self::of(Backoff::Fibonacci(start))
    }

    /// Random backoff: delays distributed uniformly from `start` to `max_delay`, both included.
    ///
    /// # Panics
    ///
    /// Panics if `start` is above `max_delay`.
    #[track_caller]
    pub const fn random(start: Duration, max_delay: Duration) -> Self {
        Self::of(Backoff::Random(start)).max_delay(max_delay)
    }

    /// Decorrelated jitter: delays distributed uniformly from `start` to three times the previous delay, but at most
    /// `max_delay`.
    ///
    /// # Panics
    ///
    /// Panics if `start` is above `max_delay`.
    #[track_caller]
    pub const fn decorrelated(start: Duration, max_delay: Duration) -> Self {
        Self::of(Backoff::Decorrelated(start)).max_delay(max_delay)
    }

    /// A list of delays. The number of attempts defaults to one more than the number of delays. With more
    /// [`attempts`](Self::attempts), the last delay repeats.
    ///
    /// # Panics
    ///
    /// Panics if `delays` is empty.
    #[track_caller]
    pub const fn delays(delays: &'static [Duration]) -> Self {
        assert!(!delays.is_empty(), "`delays` must have at least one delay: for no retry at all write `attempts(1)`");
        let attempts = if delays.len() < UNLIMITED as usize - 1 { delays.len() as u32 + 1 } else { UNLIMITED };
        Self { attempts, ..Self::of(Backoff::Delays(delays)) }
    }

    /// Custom backoff: a function that computes the delay from the attempt that has just failed.
    pub const fn custom(delay: fn(&Attempt) -> Duration) -> Self {
        Self::of(Backoff::Custom(delay))
    }

    const fn of(backoff: Backoff) -> Self {
        Self {
            attempts: schedule::ATTEMPTS,
            backoff,
            cap: Duration::MAX,
            jitter: Jitter::None,
            random: thread_random,
            deadline: None,
            attempt_timeout: None,
            retry_after: Some(schedule::RETRY_AFTER),
            drain_limit: schedule::DRAIN_LIMIT,
            drain_timeout: None,
            budget: None,
            nested: Nested::Always,
            events: EventLevel::Info,
        }
    }
}

/// Settings.
impl Policy {
    /// Sets the limit on attempts, including the first one. Defaults to 3; for [`Policy::delays`](Self::delays), to one
    /// more than there are delays. With 1, nothing is retried.
    ///
    /// # Panics
    ///
    /// Panics if `attempts` is 0, or if there is a deadline that no retry can start before.
    #[track_caller]
    pub const fn attempts(self, attempts: u32) -> Self {
        assert!(attempts > 0, "`attempts` includes the first attempt: write 1 for no retry at all");
        Self { attempts, ..self }.checked()
    }

    /// Removes the limit on attempts. Consider setting a [`deadline`](Self::deadline), which ends the retries then.
    ///
    /// # Panics
    ///
    /// Panics if there is a deadline that no retry can start before.
    #[track_caller]
    pub const fn unlimited(self) -> Self {
        Self { attempts: UNLIMITED, ..self }.checked()
    }

    /// Sets the factor by which an exponential backoff multiplies each delay. Defaults to 2.
    ///
    /// # Panics
    ///
    /// Panics if `factor` is below 1 or not finite, or if the backoff is not exponential.
    #[track_caller]
    pub const fn factor(self, factor: f64) -> Self {
        assert!(factor >= 1.0 && factor.is_finite(), "`factor` must be a finite number of at least 1");
        let Backoff::Exponential { start, .. } = self.backoff else {
            panic!("`factor` belongs to the exponential backoff: remove it, or start with `Policy::exponential`");
        };
        Self { backoff: Backoff::Exponential { start, factor }, ..self }.checked()
    }

    /// Sets the cap on computed delays, including jitter. A server's delay may be longer. Defaults to no cap;
    /// [`Policy::new`] has a cap of 30 s.
    ///
    /// # Panics
    ///
    /// Panics if it is below the first delay.
    #[track_caller]
    pub const fn max_delay(self, max_delay: Duration) -> Self {
        Self { cap: max_delay, ..self }.checked()
    }

    /// Sets the jitter, which randomizes each computed delay. Defaults to [`Jitter::None`]; [`Policy::new`] has
    /// [`Jitter::Full`].
    ///
    /// # Panics
    ///
    /// Panics if a share is not above 0 and at most 1, or if there is a deadline that no retry can start before.
    #[track_caller]
    pub const fn jitter(self, jitter: Jitter) -> Self {
        if let Jitter::Share(p) = jitter {
            assert!(p > 0.0 && p <= 1.0, "a share of jitter must be above 0 and at most 1: write 0.2 for 20 %");
        }
        Self { jitter, ..self }.checked()
    }

    /// Sets the source of randomness, a function that returns numbers in `[0, 1)`. A number outside the range is replaced by
    /// the nearest number in it.
    ///
    /// Defaults to the generator of the crate `fastrand`, one for each thread with a seed of its own. It is not
    /// cryptographic.
    pub const fn random_source(self, random: fn() -> f64) -> Self {
        Self { random, ..self }
    }

    /// Sets the deadline: the time, from the start of the first attempt, after which no attempt starts and a running
    /// attempt is cut off. Defaults to no deadline.
    ///
    /// The deadline also limits calls inside an attempt. This includes tasks that the attempt polls itself, such as those
    /// of a `LocalSet` that is driven inside the attempt, although they may outlive it. To avoid that, use
    /// `tokio::spawn`, or drive the set outside the attempt.
    ///
    /// # Panics
    ///
    /// Panics if it is zero, or if no retry can start before it. With [`attempts(1)`](Self::attempts) or full jitter, set
    /// before the deadline, a short deadline does not panic.
    #[track_caller]
    pub const fn deadline(self, deadline: Duration) -> Self {
        assert!(!deadline.is_zero(), "a `deadline` of zero lets no attempt finish: give it some time");
        Self { deadline: Some(deadline), ..self }.checked()
    }

    /// Sets the time limit of each attempt, measured from the moment when the attempt first has to wait, so that an attempt
    /// that never waits does not read the clock. An attempt that takes longer is dropped and counts as failed. Defaults to
    /// no limit.
    ///
    /// # Panics
    ///
    /// Panics if it is zero.
    #[track_caller]
    pub const fn attempt_timeout(self, timeout: Duration) -> Self {
        assert!(!timeout.is_zero(), "an `attempt_timeout` of zero lets no attempt finish: give it some time");
        Self { attempt_timeout: Some(timeout), ..self }
    }

    /// Sets the longest delay that a server may ask for. Defaults to 60 s. If a server asks for more, the call gives up
    /// at once.
    ///
    /// The server's delay is a lower bound, as defined in
    /// [RFC 9110 §10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3), and the schedule's jitter is added to
    /// it. Without jitter, all clients that received `Retry-After: 7` would return in the same instant, which is the kind
    /// of burst that jitter prevents
    /// ([*Exponential Backoff And Jitter*](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)).
    /// In the following table, `d` is the delay that the schedule computes, `s` is the delay that the server asks for,
    /// and `r` is a random number from 0 to 1:
    ///
    /// | schedule | delay |
    /// |---|---|
    /// | no jitter | the longer of `s` and `d` |
    /// | full jitter | `s + r·d` |
    /// | equal jitter | the longer of `s` and `d/2`, plus `r·d/2` |
    /// | a share `p` | the longer of `s` and `d·(1−p)`, plus `r·2·d·p` |
    /// | random, decorrelated | the longer of `s` and `start`, plus the part of the drawn delay that exceeds `start` |
    ///
    /// The limit applies to the delay that the server asks for, without the jitter. [`max_delay`](Self::max_delay) does
    /// not shorten a server's delay. The [`deadline`](Self::deadline) includes the whole delay.
    ///
    /// The wait for a [`Breaker`](crate::Breaker) is not a server's delay: only the deadline limits it.
    pub const fn retry_after(self, limit: Duration) -> Self {
        Self { retry_after: Some(limit), ..self }
    }

    /// Ignores the delays that servers ask for.
    pub const fn ignore_retry_after(self) -> Self {
        Self { retry_after: None, ..self }
    }

    /// Sets the limit on the bytes that are drained from the body of a response that is retried, so that the next attempt
    /// can reuse the connection. Defaults to 64 KiB. If the body is longer or the limit is 0, the connection is given up,
    /// unless the whole body has arrived before the response is dropped: in that case the client itself keeps it.
    pub const fn drain_limit(self, bytes: usize) -> Self {
        Self { drain_limit: bytes, ..self }
    }

    /// Sets the time limit for draining the body of a response that is retried. If the body takes longer, its connection
    /// is given up. Defaults to the delay before the next attempt, and is never longer: no attempt waits for a body.
    ///
    /// # Panics
    ///
    /// Panics if it is zero.
    #[track_caller]
    pub const fn drain_timeout(self, timeout: Duration) -> Self {
        assert!(!timeout.is_zero(), "a `drain_timeout` of zero reads nothing: write `drain_limit(0)` for that");
        Self { drain_timeout: Some(timeout), ..self }
    }

    /// Sets the budget that pays for retries: `.budget(|| &API)`, where `API` is a `static`. Defaults to no budget.
    pub const fn budget(self, budget: fn() -> &'static Budget) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// Sets the treatment of a failure that a call inside the attempt has already retried. Defaults to [`Nested::Always`].
    ///
    /// Calls inside the attempt are annotated functions, [`Executor`](crate::Executor)s, requests and tower services that
    /// the attempt awaits, directly or through other functions. Tasks that the attempt spawns do not belong to it. If
    /// several calls inside fail, the last failure decides; calls with a limit of one attempt are ignored. A permanent
    /// failure has not been retried.
    pub const fn nested(self, nested: Nested) -> Self {
        Self { nested, ..self }
    }

    /// The level of the call's events and spans for `tracing` and `log`. Defaults to [`EventLevel::Info`].
    ///
    /// ```
    /// use retry_runtime::Policy;
    /// use retry_runtime::event::EventLevel;
    ///
    /// const QUIET: Policy = Policy::new().events(EventLevel::Debug);
    /// ```
    pub const fn events(self, level: EventLevel) -> Self {
        Self { events: level, ..self }
    }

    /// Checks the rules between two values. Every function that sets one of the values calls it, so the last call sees the
    /// complete policy. Each call checks against the values set so far: set `attempts` and `jitter` before `deadline`.
    #[track_caller]
    const fn checked(self) -> Self {
        let Some(first) = self.first_delay() else { return self };
        assert!(
            nanos(first) <= nanos(self.cap),
            "`max_delay` is shorter than the first delay: raise it, or lower the start"
        );
        if let Some(deadline) = self.deadline {
            assert!(
                self.attempts == 1 || shortest(self.jitter, nanos(first)) < nanos(deadline),
                "the first delay reaches the `deadline`, so no retry could start: raise the deadline, or lower the start"
            );
        }
        self
    }

    /// The shortest delay before the first retry; `None` for a custom backoff.
    #[cfg(feature = "serde")]
    pub(crate) fn shortest_first(&self) -> Option<Duration> {
        self.first_delay().map(|first| self.jitter.bounds(Bounds::exactly(first), self.cap).min)
    }

    /// The first delay before jitter, or the shortest one if it is random; `None` for a custom backoff.
    pub(crate) const fn first_delay(&self) -> Option<Duration> {
        match self.backoff {
            Backoff::Exponential { start, .. }
            | Backoff::Fixed(start)
            | Backoff::Linear(start)
            | Backoff::Fibonacci(start)
            | Backoff::Random(start)
            | Backoff::Decorrelated(start) => Some(start),
            Backoff::Delays(delays) => Some(delays[0]),
            Backoff::Custom(_) => None,
        }
    }
}

/// Delays and limits, as the engine reads them.
impl Policy {
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

    /// Caps a computed delay, and adds the jitter.
    #[inline(always)]
    pub(crate) fn with_jitter(&self, backoff: Duration, random: fn() -> f64) -> Drawn {
        let backoff = backoff.min(self.cap);
        Drawn { backoff, delay: self.jitter.apply(backoff, self.cap, random) }
    }

    /// Raises a drawn delay to the lower bound `asked`. The part of the drawn delay above the schedule's own lower bound
    /// is added.
    pub(crate) fn at_least(&self, asked: Duration, drawn: Drawn) -> Duration {
        let lowest = match self.backoff {
            Backoff::Random(start) | Backoff::Decorrelated(start) => start.min(drawn.backoff),
            _ => drawn.backoff,
        };
        let lowest = self.jitter.bounds(Bounds::exactly(lowest), self.cap).min;
        asked.max(lowest).saturating_add(drawn.delay.saturating_sub(lowest))
    }

    /// Returns true if the engine needs more state than the number of the attempt: the start of the call, or the previous
    /// delay.
    pub(crate) const fn needs_history(&self) -> bool {
        self.deadline.is_some() || matches!(self.backoff, Backoff::Custom(_) | Backoff::Decorrelated(_))
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

/// A duration in a type that can be compared: the comparison of `Duration` is not `const`.
const fn nanos(duration: Duration) -> u128 {
    duration.as_nanos()
}

/// The smallest delay after jitter, as [`Jitter::bounds`], but `const` and in nanoseconds.
const fn shortest(jitter: Jitter, nanos: u128) -> u128 {
    match jitter {
        Jitter::None => nanos,
        Jitter::Full => 0,
        Jitter::Equal => nanos / 2,
        Jitter::Share(p) => (nanos as f64 * (1.0 - p)) as u128,
    }
}
