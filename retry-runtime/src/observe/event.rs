//! Events of calls, and the `Observer` that receives them.

use crate::classify::no_retry::NoRetry;
use crate::classify::verdict::NotSafe;
use crate::util::durations::legible;
use core::cmp::Ordering;
use core::fmt::{self, Display};
use core::time::Duration;
use std::sync::Arc;

use crate::classify::class::Class;
use crate::context::connection_event::ConnectionEvent;

/// An event of a call: the call, the attempt, and the kind of event.
///
/// Its `Display` is one readable line: ``attempt 1 of 3 failed: status 503``.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The name of the call. For an annotated function, it defaults to `module::function`; `name = …` replaces it.
    pub name: &'a str,
    /// The number of the attempt, starting at 1.
    pub attempt: u32,
    /// The limit on attempts, including the first one; `None` without a limit.
    pub attempts: Option<u32>,
    /// The time since the first attempt started, or since the call was first observed, if that was later.
    pub elapsed: Duration,
    /// The kind of event, with its details.
    pub kind: EventKind<'a>,
}

/// The kind of an event, with its details.
///
/// A call emits started, failed, waiting, started and so on, in this order, and ends with exactly one of succeeded, gave
/// up and cancelled. A hand-written loop emits the last event only if it reports how it ended. If it continues after a
/// success, it emits the failure of that attempt next, and ends again. Events of hedged copies and of connections come in
/// between.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum EventKind<'a> {
    /// An attempt starts.
    AttemptStarted,
    /// An attempt failed. The next event shows if another attempt follows.
    #[non_exhaustive]
    AttemptFailed {
        /// The class of the failure.
        class: Class,
        /// The HTTP status, if there is one.
        status: Option<u16>,
        /// The text of the failure. For an error, it is the error with its sources (`outer: inner`); if its type is not
        /// an [`Error`](std::error::Error), its `Display`, its `Debug` or the name of its type. For a value, it is the
        /// status. User names, passwords, queries and fragments of URLs are masked, and control characters are escaped.
        reason: &'a dyn Display,
    },
    /// An attempt succeeded, but `until` says that its value is not ready yet.
    NotReady,
    /// The next attempt follows after this delay. Emitted before the wait.
    #[non_exhaustive]
    Waiting {
        /// The length of the wait, including jitter.
        delay: Duration,
        /// The source of the delay.
        source: DelaySource,
        /// The delay that the server or the breaker asked for; `None` if the source is the backoff. The rest of `delay`
        /// is the schedule's jitter. It is longer than `delay` if the policy
        /// [waits only as long as its limit](crate::policy::BeyondRetryAfter::Wait).
        requested: Option<Duration>,
        /// True if the attempt succeeded with a value that is not ready yet.
        not_ready: bool,
    },
    /// Another copy of the attempt starts, while the earlier copies keep running.
    #[non_exhaustive]
    Hedged {
        /// The number of the copy, starting at 2.
        copy: u32,
        /// The time without a successful outcome, measured from the moment when the attempt first had to wait.
        after: Duration,
    },
    /// A connection event of the attempt. Emitted if the client is set up to report connections.
    Connection(&'a ConnectionEvent),
    /// The call succeeded, with its first attempt or a later one.
    Succeeded,
    /// The call returns its last failure to the caller.
    GaveUp(GiveUp),
    /// An attempt or a wait was dropped before its end. Not emitted while the thread is panicking.
    Cancelled,
}

/// The source of a delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DelaySource {
    /// The policy's backoff and jitter.
    Backoff,
    /// The server, which asked for more than the backoff, or for a delay that
    /// [replaces](crate::policy::WithinRetryAfter::Replace) the backoff. The schedule's jitter is added to it.
    Server,
    /// The breaker, which rejected the attempt. The delay lasts until the breaker may admit an attempt.
    Breaker,
    /// The caller, with [`Executor::pause_after`](crate::Executor::pause_after).
    Chosen,
}

/// The reason why a call makes no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GiveUp {
    /// The limit on attempts is reached.
    Exhausted,
    /// The failure is permanent by its class: another attempt would fail too.
    Permanent,
    /// The failure is not permanent by its class, but the call does not retry it: `on_status`, `on_error` or
    /// [`when`](crate::executor::Run::when) excludes it, or a hand-written loop has ended the call with [`fail`](crate::Executor::fail).
    Excluded,
    /// The next attempt could not start before the deadline.
    Deadline,
    /// The next attempt could not start before the [deadline of the caller](crate::Deadline) outside this process.
    CallerDeadline,
    /// The server asked for this delay, which is above the policy's limit
    /// ([`Policy::retry_after`](crate::Policy::retry_after)).
    ServerDelay(Duration),
    /// A call inside the attempt has already retried the failure, and the policy has [`Nested::Once`](crate::Nested::Once).
    Nested,
    /// The budget does not have enough tokens for a retry.
    Budget,
    /// All retries are turned off with [`set_enabled`](crate::set_enabled).
    Disabled,
    /// The server may have processed the request, and its method is not safe to send twice.
    NotIdempotent,
    /// The body of the request is a stream that has been consumed, so the request cannot be resent.
    BodyUsedUp,
    /// The `on_retry` hook ended the call.
    Stopped,
    /// The server, or a service below it, has already retried the failure: [`NoRetry::ExhaustedBelow`].
    ExhaustedBelow,
    /// The server asked for no retry: [`NoRetry::Refused`].
    ServerRefused,
}

/// A receiver of events. Any number of calls may share an observer, on any thread.
///
/// It is called on the task that retries, between attempts, and should not block. Tracing needs no observer: with the
/// `tracing` feature, all events are also emitted through `tracing`, with the target `retry`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an observer of events",
    label = "does not implement `Observer`",
    note = "write `impl retry_runtime::Observer for` the type"
)]
pub trait Observer: Send + Sync {
    /// Receives an event.
    fn on_event(&self, event: &Event<'_>);
}

macro_rules! delegate {
    ($($pointer:ty),*) => {$(
        // Otherwise rustc reports that the type behind the pointer is not an `Observer`, instead of the message on the
        // trait.
        #[diagnostic::do_not_recommend]
        impl<T: Observer + ?Sized> Observer for $pointer {
            fn on_event(&self, event: &Event<'_>) {
                (**self).on_event(event);
            }
        }
    )*};
}
delegate!(&T, Box<T>, Arc<T>);

impl Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = Numbered { attempt: self.attempt, attempts: self.attempts };
        match self.kind {
            EventKind::AttemptStarted => write!(f, "{n} starts"),
            EventKind::AttemptFailed { reason, .. } => write!(f, "{n} failed: {reason}"),
            EventKind::Waiting { delay, .. } if delay.is_zero() => f.write_str("next attempt at once"),
            EventKind::NotReady => write!(f, "{n}: not ready yet"),
            EventKind::Waiting { delay, source: DelaySource::Backoff | DelaySource::Chosen, .. } => {
                write!(f, "next attempt in {:?}", legible(delay))
            }
            EventKind::Waiting { delay, source: DelaySource::Breaker, .. } => {
                write!(f, "next attempt in {:?}, when the breaker may admit it", legible(delay))
            }
            EventKind::Waiting { delay, source: DelaySource::Server, requested, .. } => {
                fmt_server_delay(f, delay, requested.unwrap_or(delay))
            }
            EventKind::Hedged { copy, after } => write!(f, "{n}: copy {copy} starts after {:?}", legible(after)),
            EventKind::Connection(what) => write!(f, "{n}: {what}"),
            EventKind::Succeeded => write!(f, "{n} succeeded"),
            EventKind::GaveUp(why) => write!(f, "gave up after {n}: {why}"),
            EventKind::Cancelled => write!(f, "cancelled in {n}"),
        }
    }
}

/// Displays a delay whose source is the server. It is longer than the server's with jitter, and shorter beyond the policy's limit.
fn fmt_server_delay(f: &mut fmt::Formatter<'_>, delay: Duration, requested: Duration) -> fmt::Result {
    let (wait, asked) = (legible(delay), legible(requested));
    match requested.cmp(&delay) {
        Ordering::Less => write!(f, "next attempt in {wait:?}: the server asked for {asked:?}"),
        Ordering::Equal => write!(f, "next attempt in {wait:?}, as the server asked"),
        Ordering::Greater => {
            write!(f, "next attempt in {wait:?}: the server asked for {asked:?}, longer than the limit")
        }
    }
}

/// Displays "attempt 1 of 3", or "attempt 1" without a limit.
struct Numbered {
    attempt: u32,
    attempts: Option<u32>,
}

impl Display for Numbered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt {}", self.attempt)?;
        self.attempts.map_or(Ok(()), |attempts| write!(f, " of {attempts}"))
    }
}

impl Display for GiveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exhausted => f.write_str("no attempt is left"),
            Self::Permanent => f.write_str("the failure is not worth another attempt"),
            Self::Excluded => f.write_str("such a failure is not retried"),
            Self::Deadline => f.write_str("the next attempt could not start before the deadline"),
            Self::CallerDeadline => f.write_str("the next attempt could not start before the caller's deadline"),
            Self::ServerDelay(delay) => write!(f, "the server asked to wait {delay:?}, longer than the limit"),
            Self::Nested => f.write_str("a call inside the attempt has already retried it"),
            Self::Budget => f.write_str("the budget has no tokens for a retry"),
            Self::Disabled => f.write_str("retries are switched off"),
            Self::NotIdempotent => {
                f.write_str("the server may have processed the request, and its method is not idempotent")
            }
            Self::BodyUsedUp => f.write_str("the body of the request is a stream, which cannot be resent"),
            Self::Stopped => f.write_str("the `on_retry` hook ended the call"),
            Self::ExhaustedBelow => f.write_str("a service below has already retried it"),
            Self::ServerRefused => f.write_str("the server asked for no retry"),
        }
    }
}

impl GiveUp {
    /// The name of the reason: `exhausted`, `permanent`, `excluded`, `deadline`, `caller_deadline`, `server_delay`, `nested`,
    /// `budget`, `disabled`, `not_idempotent`, `body_used_up`, `stopped`, `exhausted_below` or `server_refused`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Permanent => "permanent",
            Self::Excluded => "excluded",
            Self::Deadline => "deadline",
            Self::CallerDeadline => "caller_deadline",
            Self::ServerDelay(_) => "server_delay",
            Self::Nested => "nested",
            Self::Budget => "budget",
            Self::Disabled => "disabled",
            Self::NotIdempotent => "not_idempotent",
            Self::BodyUsedUp => "body_used_up",
            Self::Stopped => "stopped",
            Self::ExhaustedBelow => "exhausted_below",
            Self::ServerRefused => "server_refused",
        }
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("name", &self.name)
            .field("attempt", &self.attempt)
            .field("attempts", &self.attempts)
            .field("elapsed", &self.elapsed)
            .field("kind", &self.kind)
            .finish()
    }
}

impl fmt::Debug for EventKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AttemptStarted => f.write_str("AttemptStarted"),
            Self::AttemptFailed { class, status, reason } => f
                .debug_struct("AttemptFailed")
                .field("class", class)
                .field("status", status)
                .field("reason", &format_args!("{reason}"))
                .finish(),
            Self::NotReady => f.write_str("NotReady"),
            Self::Waiting { delay, source, requested: _, not_ready: _ } => {
                f.debug_struct("Waiting").field("delay", delay).field("source", source).finish()
            }
            Self::Hedged { copy, after } => f.debug_struct("Hedged").field("copy", copy).field("after", after).finish(),
            Self::Connection(what) => f.debug_tuple("Connection").field(what).finish(),
            Self::Succeeded => f.write_str("Succeeded"),
            Self::GaveUp(why) => f.debug_tuple("GaveUp").field(why).finish(),
            Self::Cancelled => f.write_str("Cancelled"),
        }
    }
}

impl From<NoRetry> for GiveUp {
    fn from(reason: NoRetry) -> Self {
        match reason {
            NoRetry::ExhaustedBelow => Self::ExhaustedBelow,
            NoRetry::Refused => Self::ServerRefused,
        }
    }
}

impl From<NotSafe> for GiveUp {
    fn from(reason: NotSafe) -> Self {
        match reason {
            NotSafe::NotIdempotent => Self::NotIdempotent,
            NotSafe::BodyUsedUp => Self::BodyUsedUp,
        }
    }
}

/// The decision after a failure: the delay before the next attempt and its source, or the reason to give up.
pub(crate) type Decision = Result<(Duration, DelaySource), GiveUp>;
