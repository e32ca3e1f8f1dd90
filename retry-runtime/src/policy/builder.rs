//! `Policy`: how often and when to retry, as a plain value that `const fn`s build and check.

use core::time::Duration;

use retry_spec::invalid::Invalid;
use retry_spec::schedule;

use crate::policy::attempt::Attempt;
use crate::policy::backoff::Backoff;
use crate::policy::budget::Budget;
use crate::policy::event_level::EventLevel;
use crate::policy::jitter::{Jitter, thread_random};
use crate::policy::nested::Nested;
use crate::policy::retry_after::{BeyondRetryAfter, WithinRetryAfter};

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
/// For values that are only known at run time, such as those of a configuration, [`PolicyBuilder`](crate::policy::PolicyBuilder)
/// has the same functions and never panics.
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
    /// The longest server delay to honor; `None` ignores servers' delays.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) within_retry_after: WithinRetryAfter,
    pub(crate) beyond_retry_after: BeyondRetryAfter,
    pub(crate) drain_limit: usize,
    /// `None` if only the delay before the next attempt limits the time.
    pub(crate) drain_timeout: Option<Duration>,
    // A function, because a constant may not refer to a static with interior mutability before Rust 1.91.
    pub(crate) budget: Option<fn() -> &'static Budget>,
    pub(crate) nested: Nested,
    pub(crate) events: EventLevel,
    /// True for a policy from [`PolicyBuilder::clamp`](crate::policy::PolicyBuilder::clamp), whose deadline may come before
    /// the first delay.
    pub(crate) is_clamped: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

/// Constructors, one for each backoff.
impl Policy {
    /// Creates the standard policy: 3 attempts, exponential backoff from 100 ms with factor 2, capped at 30 s, full
    /// jitter, and no deadline. A server's delay is honored up to 60 s.
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
    /// `max_delay`. To change the three, use [`factor`](Self::factor).
    ///
    /// # Panics
    ///
    /// Panics if `start` is above `max_delay`.
    #[track_caller]
    pub const fn decorrelated(start: Duration, max_delay: Duration) -> Self {
        Self::of(Backoff::Decorrelated { start, factor: schedule::DECORRELATED_FACTOR }).max_delay(max_delay)
    }

    /// A list of delays. The number of attempts defaults to one more than the number of delays. With more
    /// [`attempts`](Self::attempts), the last delay repeats.
    ///
    /// # Panics
    ///
    /// Panics if `delays` is empty.
    #[track_caller]
    pub const fn delays(delays: &'static [Duration]) -> Self {
        Self { attempts: attempts_of(delays.len()), ..Self::of(Backoff::Delays(delays)) }.checked()
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
            within_retry_after: WithinRetryAfter::Raise,
            beyond_retry_after: BeyondRetryAfter::GiveUp,
            drain_limit: schedule::DRAIN_LIMIT,
            drain_timeout: None,
            budget: None,
            nested: Nested::Always,
            events: EventLevel::Info,
            is_clamped: false,
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

    /// Sets the factor by which an exponential backoff multiplies each delay (defaults to 2), and by which a decorrelated one
    /// multiplies the previous delay for its upper bound (defaults to 3).
    ///
    /// # Panics
    ///
    /// Panics if `factor` is below 1 or not finite, or if the backoff is neither exponential nor decorrelated.
    #[track_caller]
    pub const fn factor(self, factor: f64) -> Self {
        match self.backoff.with_factor(factor) {
            Some(backoff) => Self { backoff, ..self }.checked(),
            None => Invalid::FactorUnused.panic(),
        }
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
    /// Panics if a share is not above 0 and at most 1, if additive jitter is zero, or if there is a deadline that no retry
    /// can start before.
    #[track_caller]
    pub const fn jitter(self, jitter: Jitter) -> Self {
        Self { jitter, ..self }.checked()
    }

    /// Sets the source of randomness, a function that returns numbers in `[0, 1)`. A number outside the range is replaced by
    /// the nearest number in it.
    ///
    /// Defaults to the generator of the crate `fastrand`, one for each thread with its own seed. It is not
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
        Self { deadline: Some(deadline), ..self }.checked()
    }

    /// Sets the time limit of each attempt. The timer starts when the attempt first has to wait (when its future first returns
    /// `Pending`), which is practically when it starts. An attempt that never waits does not read the clock, except in [`run`](Self::run). An attempt that takes
    /// longer is dropped and counts as failed. A limit that is not shorter than the deadline has no effect. Defaults to no limit.
    ///
    /// # Panics
    ///
    /// Panics if it is zero.
    #[track_caller]
    pub const fn attempt_timeout(self, timeout: Duration) -> Self {
        Self { attempt_timeout: Some(timeout), ..self }.checked()
    }

    /// Sets the longest delay that a server may ask for. Defaults to 60 s. If a server asks for more, the call gives up
    /// at once, which [`beyond_retry_after`](Self::beyond_retry_after) can change.
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
    /// | an extra `e` | the longer of `s` and `d`, plus `r·e` |
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
    ///
    /// # Panics
    ///
    /// Panics if [`within_retry_after`](Self::within_retry_after) or [`beyond_retry_after`](Self::beyond_retry_after) is
    /// set to another value than its default, which would have no effect.
    #[track_caller]
    pub const fn ignore_retry_after(self) -> Self {
        Self { retry_after: None, ..self }.checked()
    }

    /// Sets the treatment of a server's delay up to the limit of [`retry_after`](Self::retry_after). Defaults to
    /// [`WithinRetryAfter::Raise`]: the delay is a lower bound. With [`WithinRetryAfter::Replace`], the server's delay takes
    /// the place of the computed one, even if it is shorter, and the random part of the schedule is added to it. With
    /// the names of the table above:
    ///
    /// | schedule | delay |
    /// |---|---|
    /// | no jitter | `s` |
    /// | full jitter | `s + r·d` |
    /// | equal jitter | `s + r·d/2` |
    /// | a share `p` | `s + r·2·d·p` |
    /// | an extra `e` | `s + r·e` |
    /// | random, decorrelated | `s` plus the part of the drawn delay that exceeds `start` |
    ///
    /// # Panics
    ///
    /// Panics if servers' delays are ignored.
    #[track_caller]
    pub const fn within_retry_after(self, within: WithinRetryAfter) -> Self {
        Self { within_retry_after: within, ..self }.checked()
    }

    /// Sets the treatment of a server's delay above the limit of [`retry_after`](Self::retry_after). Defaults to
    /// [`BeyondRetryAfter::GiveUp`].
    ///
    /// With [`BeyondRetryAfter::Wait`], the event has the delay that the server asked for. A server that is asked again
    /// before that time may answer with a longer delay.
    ///
    /// ```
    /// use std::time::Duration;
    /// use retry_runtime::Policy;
    /// use retry_runtime::policy::BeyondRetryAfter;
    ///
    /// const PATIENT: Policy = Policy::new()
    ///     .retry_after(Duration::from_secs(10))
    ///     .beyond_retry_after(BeyondRetryAfter::Wait);
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if servers' delays are ignored.
    #[track_caller]
    pub const fn beyond_retry_after(self, beyond: BeyondRetryAfter) -> Self {
        Self { beyond_retry_after: beyond, ..self }.checked()
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
        Self { drain_timeout: Some(timeout), ..self }.checked()
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
}

/// The number of attempts for a list of delays, as in `retry_spec::schedule`, but `const`.
pub(super) const fn attempts_of(delays: usize) -> u32 {
    if delays < UNLIMITED as usize - 1 { delays as u32 + 1 } else { UNLIMITED }
}
