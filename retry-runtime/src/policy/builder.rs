//! How often and when: a plain value that a `const fn` builder makes.

use core::time::Duration;

use retry_spec::schedule::{self, Bounds};

use crate::classify::drain::DrainLimits;
use crate::context::simulation;
use crate::policy::attempt::Attempt;
use crate::policy::backoff::Backoff;
use crate::policy::budget::Budget;
use crate::policy::jitter::{Jitter, thread_random};
use crate::policy::nested::Nested;

/// The number of attempts that means "no limit".
pub(crate) use retry_spec::keywords::UNLIMITED;

/// How often and when to try again: attempts, backoff, jitter and limits. No word on which outcomes;
/// that is the [`Condition`](crate::Condition).
///
/// A plain `Copy` value; every function that makes one is `const`, so a policy that makes no sense is a
/// compile error where it stands in a `const`:
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
/// const NEVER: Policy = Policy::new().attempts(0); // "`attempts` counts the first call too …"
/// # fn main() { let _ = NEVER; }
/// ```
///
/// What you write is what happens: a constructor that names a schedule ([`fixed`](Self::fixed),
/// [`exponential`](Self::exponential) …) has no jitter and no cap of its own. Only [`Policy::new`], which
/// names none, has both.
///
/// # Panics
///
/// Each builder function panics, in constant evaluation where the policy is a `const`, on a value that makes
/// no sense by itself or beside what was said before; its own page says which. The message names the fix.
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
    /// The longest server delay to honour; `None` ignores them.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) drain_limit: usize,
    /// The delay is the limit where there is none.
    pub(crate) drain_timeout: Option<Duration>,
    // A function, for a constant may not refer to what changes before Rust 1.91.
    pub(crate) budget: Option<fn() -> &'static Budget>,
    pub(crate) nested: Nested,
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

/// Constructors: one for each backoff.
impl Policy {
    /// The standard policy: 3 attempts, exponential from 100 ms, factor 2, capped at 30 s, full jitter; no
    /// deadline; a server's delay is honoured up to 60 s.
    pub const fn new() -> Self {
        Self { cap: schedule::MAX_DELAY, jitter: Jitter::Full, ..Self::exponential(schedule::START) }
    }

    /// Delays of `start`, `start · 2`, `start · 4` …; [`factor`](Self::factor) changes the 2.
    pub const fn exponential(start: Duration) -> Self {
        Self::of(Backoff::Exponential { start, factor: schedule::FACTOR })
    }

    /// The same delay each time. Zero retries at once, after letting other tasks run.
    pub const fn fixed(delay: Duration) -> Self {
        Self::of(Backoff::Fixed(delay))
    }

    /// Delays of `start`, `start · 2`, `start · 3` …
    pub const fn linear(start: Duration) -> Self {
        Self::of(Backoff::Linear(start))
    }

    /// Delays of `start` times 1, 1, 2, 3, 5, 8 …
    pub const fn fibonacci(start: Duration) -> Self {
        Self::of(Backoff::Fibonacci(start))
    }

    /// Delays uniform between `start` and `max_delay`, both included.
    ///
    /// # Panics
    ///
    /// When `start` is above `max_delay`.
    #[track_caller]
    pub const fn random(start: Duration, max_delay: Duration) -> Self {
        Self::of(Backoff::Random(start)).max_delay(max_delay)
    }

    /// Delays uniform between `start` and three times the previous delay, at most `max_delay`.
    ///
    /// # Panics
    ///
    /// When `start` is above `max_delay`.
    #[track_caller]
    pub const fn decorrelated(start: Duration, max_delay: Duration) -> Self {
        Self::of(Backoff::Decorrelated(start)).max_delay(max_delay)
    }

    /// Exactly these delays; one more attempt than there are delays. With more [`attempts`](Self::attempts)
    /// the last delay repeats.
    ///
    /// # Panics
    ///
    /// When `delays` is empty.
    #[track_caller]
    pub const fn delays(delays: &'static [Duration]) -> Self {
        assert!(!delays.is_empty(), "`delays` must have at least one delay: for no retry at all write `attempts(1)`");
        let attempts = if delays.len() < UNLIMITED as usize - 1 { delays.len() as u32 + 1 } else { UNLIMITED };
        Self { attempts, ..Self::of(Backoff::Delays(delays)) }
    }

    /// Delays computed by a function of the attempt that has just failed.
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
        }
    }
}

/// What else a policy says.
impl Policy {
    /// The most attempts, the first one included; 3 if not said. `1` never retries.
    ///
    /// # Panics
    ///
    /// When `attempts` is 0.
    #[track_caller]
    pub const fn attempts(self, attempts: u32) -> Self {
        assert!(attempts > 0, "`attempts` counts the first call too: write 1 for no retry at all");
        Self { attempts, ..self }
    }

    /// No limit on the number of attempts. Think of a [`deadline`](Self::deadline).
    pub const fn unlimited(self) -> Self {
        Self { attempts: UNLIMITED, ..self }
    }

    /// What an exponential backoff multiplies each delay with; 2 if not said.
    ///
    /// # Panics
    ///
    /// When `factor` is below 1 or not finite, and where the backoff is not exponential.
    #[track_caller]
    pub const fn factor(self, factor: f64) -> Self {
        assert!(factor >= 1.0 && factor.is_finite(), "`factor` must be a finite number of at least 1");
        let Backoff::Exponential { start, .. } = self.backoff else {
            panic!("`factor` belongs to the exponential backoff: remove it, or start with `Policy::exponential`");
        };
        Self { backoff: Backoff::Exponential { start, factor }, ..self }.checked()
    }

    /// The cap on computed delays, jitter included; a server's delay may be longer. None if not said, but
    /// 30 s in [`Policy::new`].
    ///
    /// # Panics
    ///
    /// When it is below the first delay.
    #[track_caller]
    pub const fn max_delay(self, max_delay: Duration) -> Self {
        Self { cap: max_delay, ..self }.checked()
    }

    /// Randomness on each computed delay; none if not said, but full in [`Policy::new`].
    ///
    /// # Panics
    ///
    /// When a share is not above 0 and at most 1.
    #[track_caller]
    pub const fn jitter(self, jitter: Jitter) -> Self {
        if let Jitter::Share(p) = jitter {
            assert!(p > 0.0 && p <= 1.0, "a share of jitter must be above 0 and at most 1: write 0.2 for 20 %");
        }
        Self { jitter, ..self }.checked()
    }

    /// Where randomness comes from: a function that gives numbers in `[0, 1)`. `rand`'s thread generator if
    /// not said. Numbers outside of the range are treated as the nearest one in it.
    pub const fn random_source(self, random: fn() -> f64) -> Self {
        Self { random, ..self }
    }

    /// The time from the start of the first attempt after which no attempt starts or goes on. None if not said.
    ///
    /// Calls inside an attempt see it too. So do tasks that the attempt polls itself, such as those of a `LocalSet` that is
    /// driven inside the attempt, although they may outlive it: use `tokio::spawn`, or drive the set outside.
    ///
    /// # Panics
    ///
    /// When it is zero, or when no retry can start before it.
    #[track_caller]
    pub const fn deadline(self, deadline: Duration) -> Self {
        assert!(!deadline.is_zero(), "a `deadline` of zero lets no attempt finish: give it some time");
        Self { deadline: Some(deadline), ..self }.checked()
    }

    /// The most that one attempt may take, from when it first has to wait; an attempt that takes longer is dropped and
    /// counts as failed. None if not said.
    ///
    /// # Panics
    ///
    /// When it is zero.
    #[track_caller]
    pub const fn attempt_timeout(self, timeout: Duration) -> Self {
        assert!(!timeout.is_zero(), "an `attempt_timeout` of zero lets no attempt finish: give it some time");
        Self { attempt_timeout: Some(timeout), ..self }
    }

    /// The longest delay that a server may ask for; defaults to 60 s. A server that asks for more ends the
    /// retrying at once.
    ///
    /// The server's delay is a lower bound, as [RFC 9110 §10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3) means
    /// it, and the jitter of the schedule comes on top. Otherwise all clients that got `Retry-After: 7` would return in the same
    /// instant, and jitter is there to prevent such bursts
    /// ([*Exponential Backoff And Jitter*](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)):
    ///
    /// | schedule with a computed delay `d` | a server that asks for `s`, with a drawn share `r` of 0 to 1 |
    /// |---|---|
    /// | no jitter | the longer of `s` and `d` |
    /// | full jitter | `s + r·d` |
    /// | equal jitter | the longer of `s` and `d/2`, plus `r·d/2` |
    /// | a share `p` | the longer of `s` and `d·(1−p)`, plus `r·2·d·p` |
    /// | random, decorrelated | the longer of `s` and `start`, plus what is drawn above `start` |
    ///
    /// The limit is compared with what the server asks for, without the jitter. [`max_delay`](Self::max_delay) does not shorten a
    /// server's delay; the [`deadline`](Self::deadline) counts all of it.
    ///
    /// The wait for a [`Breaker`](crate::Breaker) is not a server's delay: it is bounded by the deadline alone.
    pub const fn retry_after(self, limit: Duration) -> Self {
        Self { retry_after: Some(limit), ..self }
    }

    /// Takes no notice of the delays that servers ask for.
    pub const fn ignore_retry_after(self) -> Self {
        Self { retry_after: None, ..self }
    }

    /// The most bytes that are read of the body of a response which is tried again, so that the next attempt finds its
    /// connection free; 64 KiB if not said. A longer body, or 0, gives the connection up, unless all of the body has come before
    /// it is dropped: then the client keeps the connection by itself.
    pub const fn drain_limit(self, bytes: usize) -> Self {
        Self { drain_limit: bytes, ..self }
    }

    /// The longest that such a body is read: what comes later gives the connection up. As long as the delay before the next
    /// attempt if not said, and never longer: no attempt waits for it.
    ///
    /// # Panics
    ///
    /// When it is zero.
    #[track_caller]
    pub const fn drain_timeout(self, timeout: Duration) -> Self {
        assert!(!timeout.is_zero(), "a `drain_timeout` of zero reads nothing: write `drain_limit(0)` for that");
        Self { drain_timeout: Some(timeout), ..self }
    }

    /// The budget that pays for retries: `.budget(|| &API)`, where `API` is a `static`. None if not said.
    pub const fn budget(self, budget: fn() -> &'static Budget) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// How to treat a failure that a call inside the attempt has already retried. Defaults to [`Nested::Always`].
    ///
    /// Calls inside the attempt are annotated functions, [`Executor`](crate::Executor)s, requests and tower services that the attempt
    /// awaits, directly or through other functions. Tasks that it spawns do not belong to it. If several calls inside fail, the last
    /// one that made more than one attempt counts. A failure that was not worth a retry has not been retried.
    pub const fn nested(self, nested: Nested) -> Self {
        Self { nested, ..self }
    }

    /// The rules that concern two values; called by whatever sets one of them, so that the order does not matter.
    #[track_caller]
    const fn checked(self) -> Self {
        let Some(first) = self.first_delay() else { return self };
        assert!(
            nanos(first) <= nanos(self.cap),
            "`max_delay` is shorter than the first delay: raise it, or lower the start"
        );
        if let Some(deadline) = self.deadline {
            assert!(
                self.attempts == 1 || least(self.jitter, nanos(first)) < nanos(deadline),
                "the first delay reaches the `deadline`, so no retry could start: raise the deadline, or lower the start"
            );
        }
        self
    }

    /// The shortest wait before the first retry, where it can be known.
    #[cfg(feature = "serde")]
    pub(crate) fn shortest_first(&self) -> Option<Duration> {
        self.first_delay().map(|first| self.jitter.bounds(Bounds::exactly(first), self.cap).min)
    }

    /// The first delay before jitter, the least one where it is random, where it can be known.
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

/// What a policy says of delays.
impl Policy {
    /// The delay after `attempt`, drawn with the policy's random source, without the server's.
    #[inline(always)]
    pub(crate) fn delay(
        &self,
        n: u32,
        attempt: impl FnOnce() -> Attempt,
        previous: Duration,
        random: fn() -> f64,
    ) -> Drawn {
        let backoff = self.backoff.delay(n, attempt, previous, self.cap, random).min(self.cap);
        Drawn { backoff, delay: self.jitter.apply(backoff, self.cap, random) }
    }

    /// A drawn delay with a lower bound that is not the schedule's: what was drawn above the schedule's own comes on top.
    pub(crate) fn at_least(&self, asked: Duration, drawn: Drawn) -> Duration {
        let lowest = match self.backoff {
            Backoff::Random(start) | Backoff::Decorrelated(start) => start.min(drawn.backoff),
            _ => drawn.backoff,
        };
        let lowest = self.jitter.bounds(Bounds::exactly(lowest), self.cap).min;
        asked.max(lowest).saturating_add(drawn.delay.saturating_sub(lowest))
    }

    /// Whether the engine must remember more than the number of the attempt.
    pub(crate) const fn looks_back(&self) -> bool {
        self.deadline.is_some() || matches!(self.backoff, Backoff::Custom(_) | Backoff::Decorrelated(_))
    }

    /// Whether an attempt may be cut off.
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

    /// The limits of reading the rest of a response that is retried.
    pub(crate) const fn drain_limits(&self) -> DrainLimits {
        DrainLimits { bytes: self.drain_limit, timeout: self.drain_timeout }
    }
}

/// A delay that was drawn.
#[derive(Clone, Copy)]
pub(crate) struct Drawn {
    /// Before jitter.
    backoff: Duration,
    pub(crate) delay: Duration,
}

/// `Duration`'s own comparison is not `const`.
const fn nanos(duration: Duration) -> u128 {
    duration.as_nanos()
}

const fn least(jitter: Jitter, nanos: u128) -> u128 {
    match jitter {
        Jitter::None => nanos,
        Jitter::Full => 0,
        Jitter::Equal => nanos / 2,
        Jitter::Share(p) => (nanos as f64 * (1.0 - p)) as u128,
    }
}
