//! `PolicyBuilder`: a policy from values that are only known at run time.

use core::time::Duration;

use retry_spec::invalid::{Invalid, MAX_OWNED_DELAYS};

use crate::policy::attempt::Attempt;
use crate::policy::backoff::Backoff;
use crate::policy::budget::Budget;
use crate::policy::builder::{Policy, UNLIMITED, attempts_of};
use crate::policy::error::PolicyError;
use crate::policy::event_level::EventLevel;
use crate::policy::jitter::Jitter;
use crate::policy::nested::Nested;
use crate::policy::owned_delays::OwnedDelays;
use crate::policy::retry_after::{BeyondRetryAfter, WithinRetryAfter};

/// A policy from values that are only known at run time, such as those of a configuration, of arguments or of a user.
///
/// It has the functions of [`Policy`], but none of them panics. The values are checked together at the end, so the order of
/// the calls does not matter:
///
/// - [`build`](Self::build) is strict: it returns a [`PolicyError`] for values that `Policy` would panic for;
/// - [`clamp`](Self::clamp) is lenient: it replaces an invalid value by the nearest valid one, and never fails.
///
/// ```
/// use std::time::Duration;
/// use retry_runtime::policy::PolicyBuilder;
///
/// let ms = Duration::from_millis;
/// let configured = PolicyBuilder::exponential(ms(200)).max_delay(ms(100)).attempts(0);
///
/// let error = configured.build().unwrap_err();
/// assert_eq!(error.setting(), "attempts");
/// assert_eq!(error.to_string(), "`attempts` includes the first attempt: it must be at least 1");
///
/// assert_eq!(configured.clamp().to_string(), "1 attempt");
/// let clamped = configured.attempts(3).clamp();
/// assert_eq!(clamped.to_string(), "3 attempts, exponential from 200ms, at most 200ms");
/// ```
///
/// To replace some values of a policy, start with [`Policy::to_builder`]. The guide has examples for
/// [clap, serde and environment variables](crate::guide::configuration).
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct PolicyBuilder {
    /// May break any rule.
    policy: Policy,
    /// The factor, applied at the end, because not every backoff has one.
    factor: Option<f64>,
    /// True if the list of delays was too long to be copied.
    delays_are_cut: bool,
}

impl Default for PolicyBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Policy> for PolicyBuilder {
    fn from(policy: Policy) -> Self {
        Self::of(policy)
    }
}

impl Policy {
    /// Returns a builder with the values of this policy, so that values that are only known at run time can replace some of
    /// them without a panic.
    ///
    /// ```
    /// use std::time::Duration;
    /// use retry_runtime::Policy;
    ///
    /// const DEFAULT: Policy = Policy::exponential(Duration::from_secs(1)).attempts(5);
    ///
    /// fn policy(deadline: Option<Duration>) -> Policy {
    ///     match deadline {
    ///         Some(deadline) => DEFAULT.to_builder().deadline(deadline).clamp(),
    ///         None => DEFAULT,
    ///     }
    /// }
    /// # assert_eq!(policy(Some(Duration::from_secs(9))).to_string(), "5 attempts, exponential from 1s, deadline 9s");
    /// ```
    pub const fn to_builder(self) -> PolicyBuilder {
        PolicyBuilder::of(self)
    }
}

/// Constructors, one for each backoff.
impl PolicyBuilder {
    /// Starts with the standard policy, as [`Policy::new`].
    pub const fn new() -> Self {
        Self::of(Policy::new())
    }

    /// Exponential backoff, as [`Policy::exponential`].
    pub const fn exponential(start: Duration) -> Self {
        Self::of(Policy::exponential(start))
    }

    /// Fixed backoff, as [`Policy::fixed`].
    pub const fn fixed(delay: Duration) -> Self {
        Self::of(Policy::fixed(delay))
    }

    /// Linear backoff, as [`Policy::linear`].
    pub const fn linear(start: Duration) -> Self {
        Self::of(Policy::linear(start))
    }

    /// Fibonacci backoff, as [`Policy::fibonacci`].
    pub const fn fibonacci(start: Duration) -> Self {
        Self::of(Policy::fibonacci(start))
    }

    /// Random backoff, as [`Policy::random`].
    pub const fn random(start: Duration, max_delay: Duration) -> Self {
        Self::of(Policy::random(start, Duration::MAX)).max_delay(max_delay)
    }

    /// Decorrelated jitter, as [`Policy::decorrelated`].
    pub const fn decorrelated(start: Duration, max_delay: Duration) -> Self {
        Self::of(Policy::decorrelated(start, Duration::MAX)).max_delay(max_delay)
    }

    /// A list of at most 8 delays, which the policy copies. The rest is as for [`Policy::delays`], which takes a longer list
    /// that is `'static`, such as one in a [`LazyLock`](std::sync::LazyLock).
    ///
    /// [`clamp`](Self::clamp) keeps the first 8 delays of a longer list. The number of attempts stays one more than the list
    /// has delays, and the eighth delay repeats. Without any delay, it retries nothing.
    pub const fn delays(delays: &[Duration]) -> Self {
        let backoff =
            if delays.is_empty() { Backoff::Delays(&[]) } else { Backoff::Owned(OwnedDelays::copy_of(delays)) };
        let exact = Policy::fixed(Duration::ZERO);
        Self {
            delays_are_cut: delays.len() > MAX_OWNED_DELAYS,
            ..Self::of(Policy { backoff, attempts: attempts_of(delays.len()), ..exact })
        }
    }

    /// Custom backoff, as [`Policy::custom`].
    pub const fn custom(delay: fn(&Attempt) -> Duration) -> Self {
        Self::of(Policy::custom(delay))
    }

    const fn of(policy: Policy) -> Self {
        Self { policy: Policy { is_clamped: false, ..policy }, factor: None, delays_are_cut: false }
    }
}

/// Settings. Each takes any value.
impl PolicyBuilder {
    /// Sets the limit on attempts, as [`Policy::attempts`]. Clamped to at least 1.
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.policy.attempts = attempts;
        self
    }

    /// Removes the limit on attempts, as [`Policy::unlimited`].
    pub const fn unlimited(mut self) -> Self {
        self.policy.attempts = UNLIMITED;
        self
    }

    /// Sets the factor of an exponential or a decorrelated backoff, as [`Policy::factor`]. Clamped to at least 1, and ignored for
    /// another backoff.
    pub const fn factor(mut self, factor: f64) -> Self {
        self.factor = Some(factor);
        self
    }

    /// Sets the cap on computed delays, as [`Policy::max_delay`]. Clamped to at least the first delay.
    pub const fn max_delay(mut self, max_delay: Duration) -> Self {
        self.policy.cap = max_delay;
        self
    }

    /// Sets the jitter, as [`Policy::jitter`]. A share of 0 or below, a share that is not a number, and additive jitter of zero are
    /// clamped to no jitter, a share above 1 to 1.
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.policy.jitter = jitter;
        self
    }

    /// Sets the source of randomness, as [`Policy::random_source`].
    pub const fn random_source(mut self, random: fn() -> f64) -> Self {
        self.policy.random = random;
        self
    }

    /// Sets the deadline, as [`Policy::deadline`]. Zero is clamped to a nanosecond, which
    /// leaves one attempt that has to be ready at once. A deadline that the first delay reaches is
    /// kept, and ends the call after its first attempt.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.policy.deadline = Some(deadline);
        self
    }

    /// Sets the time limit of each attempt, as [`Policy::attempt_timeout`]. Zero is clamped to no limit.
    pub const fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.policy.attempt_timeout = Some(timeout);
        self
    }

    /// Sets the longest delay that a server may ask for, as [`Policy::retry_after`].
    pub const fn retry_after(mut self, limit: Duration) -> Self {
        self.policy.retry_after = Some(limit);
        self
    }

    /// Ignores the delays that servers ask for, as [`Policy::ignore_retry_after`]. When clamped, it prevails over the two settings below.
    pub const fn ignore_retry_after(mut self) -> Self {
        self.policy.retry_after = None;
        self
    }

    /// Sets the treatment of a server's delay up to the limit, as [`Policy::within_retry_after`].
    pub const fn within_retry_after(mut self, within: WithinRetryAfter) -> Self {
        self.policy.within_retry_after = within;
        self
    }

    /// Sets the treatment of a server's delay above the limit, as [`Policy::beyond_retry_after`].
    pub const fn beyond_retry_after(mut self, beyond: BeyondRetryAfter) -> Self {
        self.policy.beyond_retry_after = beyond;
        self
    }

    /// Sets the limit on the bytes that are drained from a body, as [`Policy::drain_limit`].
    pub const fn drain_limit(mut self, bytes: usize) -> Self {
        self.policy.drain_limit = bytes;
        self
    }

    /// Sets the time limit for draining a body, as [`Policy::drain_timeout`]. Zero is clamped to a `drain_limit` of 0.
    pub const fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.policy.drain_timeout = Some(timeout);
        self
    }

    /// Sets the budget that pays for retries, as [`Policy::budget`].
    pub const fn budget(mut self, budget: fn() -> &'static Budget) -> Self {
        self.policy.budget = Some(budget);
        self
    }

    /// Sets the treatment of a failure that a call inside has already retried, as [`Policy::nested`].
    pub const fn nested(mut self, nested: Nested) -> Self {
        self.policy.nested = nested;
        self
    }

    /// Sets the level of events and spans, as [`Policy::events`].
    pub const fn events(mut self, level: EventLevel) -> Self {
        self.policy.events = level;
        self
    }
}

/// The policy.
impl PolicyBuilder {
    /// Returns the policy.
    ///
    /// # Errors
    ///
    /// The first rule that the values break, where the functions of [`Policy`] would panic.
    pub const fn build(self) -> Result<Policy, PolicyError> {
        let mut policy = self.policy;
        if let Some(factor) = self.factor {
            policy.backoff = match policy.backoff.with_factor(factor) {
                Some(backoff) => backoff,
                None => return Err(PolicyError::new(Invalid::FactorUnused)),
            };
        }
        if self.delays_are_cut {
            return Err(PolicyError::new(Invalid::TooManyDelays));
        }
        match policy.broken_rule() {
            Some(rule) => Err(PolicyError::new(rule)),
            None => Ok(policy),
        }
    }

    /// Returns the policy that has the nearest valid values. The documentation of each setting has its rule.
    ///
    /// The settings of the returned [`Policy`] panic as usual if they get an invalid value, but not for a first delay that
    /// reaches the deadline.
    pub const fn clamp(self) -> Policy {
        let mut policy = self.policy;
        if let Some(factor) = self.factor {
            policy.backoff = match policy.backoff.with_factor(factor) {
                Some(backoff) => backoff,
                None => policy.backoff,
            };
        }
        policy.clamped()
    }
}
