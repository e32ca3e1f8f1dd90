//! Formatting of policies: `Display` is one line for logs, `Debug` lists the fields.

use core::fmt::{self, Debug, Display, Formatter};
use core::time::Duration;

use retry_spec::schedule::{self, DECORRELATED_FACTOR};

use crate::policy::backoff::Backoff;
use crate::policy::builder::Policy;
use crate::policy::event_level::EventLevel;
use crate::policy::jitter::Jitter;
use crate::policy::nested::Nested;
use crate::policy::retry_after::{BeyondRetryAfter, WithinRetryAfter};

/// Describes the policy in one line, for logs: "3 attempts, exponential from 100ms, at most 30s, full jitter". The limits
/// on servers' delays and on draining bodies are left out if they have their default values.
///
/// ```
/// use std::time::Duration;
/// use retry_runtime::Policy;
///
/// let second = Duration::from_secs(1);
/// let policy = Policy::fixed(second).attempts(5).deadline(second * 10);
/// assert_eq!(policy.to_string(), "5 attempts, fixed 1s, deadline 10s");
/// ```
impl Display for Policy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.max_attempts() {
            Some(1) => f.write_str("1 attempt")?,
            Some(attempts) => write!(f, "{attempts} attempts, {}", Delays(self))?,
            None => write!(f, "unlimited attempts, {}", Delays(self))?,
        }
        let limits = [("deadline", self.deadline), ("attempt timeout", self.attempt_timeout)];
        for (name, limit) in limits {
            limit.map_or(Ok(()), |limit| write!(f, ", {name} {}", Time(limit)))?;
        }
        if self.attempts > 1 { self.fmt_retries(f) } else { Ok(()) }
    }
}

impl Policy {
    /// Writes the settings of retries other than their number and their delays.
    fn fmt_retries(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.fmt_server_delays(f)?;
        match self.drain_limit {
            0 => f.write_str(", no bodies read")?,
            schedule::DRAIN_LIMIT => {}
            bytes => write!(f, ", bodies read up to {bytes} bytes")?,
        }
        if let Some(timeout) = self.drain_timeout {
            write!(f, ", bodies read for {}", Time(timeout))?;
        }
        f.write_str(if self.budget.is_some() { ", with a budget" } else { "" })?;
        f.write_str(if self.nested == Nested::Once { ", nested once" } else { "" })?;
        f.write_str(match self.events {
            EventLevel::Info => "",
            EventLevel::Debug => ", events at debug level",
            EventLevel::Off => ", events off",
        })
    }

    fn fmt_server_delays(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(limit) = self.retry_after else { return f.write_str(", servers' delays ignored") };
        if self.within_retry_after == WithinRetryAfter::Replace {
            f.write_str(", servers' delays instead of these")?;
        }
        match self.beyond_retry_after {
            BeyondRetryAfter::GiveUp if limit == schedule::RETRY_AFTER => Ok(()),
            BeyondRetryAfter::GiveUp => write!(f, ", servers' delays up to {}", Time(limit)),
            BeyondRetryAfter::Wait => write!(f, ", servers' delays cut to {}", Time(limit)),
            BeyondRetryAfter::Ignore => write!(f, ", servers' delays above {} ignored", Time(limit)),
        }
    }

    fn max_delay_limit(&self) -> Option<Duration> {
        (self.cap != Duration::MAX).then_some(self.cap)
    }
}

/// The backoff, its cap and its jitter.
struct Delays<'a>(&'a Policy);

impl Display for Delays<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Policy { cap, jitter, .. } = *self.0;
        match self.0.backoff {
            Backoff::Exponential { start, factor: schedule::FACTOR } => write!(f, "exponential from {}", Time(start))?,
            Backoff::Exponential { start, factor } => write!(f, "exponential from {}, factor {factor}", Time(start))?,
            Backoff::Fixed(delay) => write!(f, "fixed {}", Time(delay))?,
            Backoff::Linear(start) => write!(f, "linear from {}", Time(start))?,
            Backoff::Fibonacci(start) => write!(f, "fibonacci from {}", Time(start))?,
            Backoff::Random(start) => return write!(f, "random from {} to {}", Time(start), Time(cap)),
            Backoff::Decorrelated { start, factor } => {
                write!(f, "decorrelated from {} to {}", Time(start), Time(cap))?;
                return if factor == DECORRELATED_FACTOR { Ok(()) } else { write!(f, ", factor {factor}") };
            }
            Backoff::Delays(delays) => fmt_delays(f, delays.iter().copied())?,
            Backoff::Owned(delays) => fmt_delays(f, delays.iter())?,
            Backoff::Custom(_) => f.write_str("a backoff of its own")?,
        }
        if let Some(limit) = self.0.max_delay_limit() {
            write!(f, ", at most {}", Time(limit))?;
        }
        match jitter {
            Jitter::None => Ok(()),
            Jitter::Full => f.write_str(", full jitter"),
            Jitter::Equal => f.write_str(", equal jitter"),
            // A share such as 0.07 is not exact in binary.
            Jitter::Share(share) => write!(f, ", {}% jitter", (share * 1e6).round() / 1e4),
            Jitter::Plus(extra) => write!(f, ", +{} jitter", Time(extra)),
        }
    }
}

const SHOWN: usize = 5;

/// Writes a list of delays. Only the first [`SHOWN`] are displayed, because a list may be of any length.
fn fmt_delays(f: &mut Formatter<'_>, mut delays: impl Iterator<Item = Duration>) -> fmt::Result {
    f.write_str("delays [")?;
    for (place, delay) in delays.by_ref().take(SHOWN).enumerate() {
        write!(f, "{}{}", if place == 0 { "" } else { ", " }, Time(delay))?;
    }
    f.write_str(if delays.next().is_some() { ", …]" } else { "]" })
}

/// A duration in the syntax of the attribute and of config files, so that it can be copied there: `1h 30m`, while `Debug`
/// would display `5400s`.
struct Time(Duration);

impl Display for Time {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let rest = Duration::new(seconds % 60, self.0.subsec_nanos());
        let mut space = "";
        for (count, unit) in [(seconds / 3600, "h"), (seconds / 60 % 60, "m")] {
            if count > 0 {
                write!(f, "{space}{count}{unit}")?;
                space = " ";
            }
        }
        if rest.is_zero() && !space.is_empty() { Ok(()) } else { write!(f, "{space}{rest:?}") }
    }
}

/// Shows missing limits as `None`, a budget only as `true` or `false`, and no random source.
impl Debug for Policy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // Without `..`, so that the compiler reports a new field. `Display` needs it too.
        let Self {
            attempts: _,
            backoff,
            cap: _,
            jitter,
            random: _,
            deadline,
            attempt_timeout,
            retry_after,
            within_retry_after,
            beyond_retry_after,
            drain_limit,
            drain_timeout,
            budget,
            nested,
            events,
            is_clamped: _,
        } = self;
        f.debug_struct("Policy")
            .field("attempts", self.max_attempts().as_ref().map_or(&"unlimited", |attempts| attempts as &dyn Debug))
            .field("backoff", backoff)
            .field("max_delay", &self.max_delay_limit())
            .field("jitter", jitter)
            .field("deadline", deadline)
            .field("attempt_timeout", attempt_timeout)
            .field("retry_after", retry_after)
            .field("within_retry_after", within_retry_after)
            .field("beyond_retry_after", beyond_retry_after)
            .field("drain_limit", drain_limit)
            .field("drain_timeout", drain_timeout)
            .field("budget", &budget.is_some())
            .field("nested", nested)
            .field("events", events)
            .finish_non_exhaustive()
    }
}
