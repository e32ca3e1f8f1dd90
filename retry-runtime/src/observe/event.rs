//! What happened, for whoever listens.

use crate::classify::verdict::NotSafe;
use crate::util::durations::legible;
use core::fmt::{self, Display};
use core::time::Duration;
use std::sync::Arc;

use crate::classify::class::Class;
use crate::context::connection_event::ConnectionEvent;

/// Something that happened in a call: which call, which attempt, and what.
///
/// Its `Display` is a line for people: ``attempt 1 of 3 failed: status 503``.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The name of the call: `module::function` of an annotated function unless `name = …` says otherwise.
    pub name: &'a str,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The most attempts there may be; `None` without a limit.
    pub attempts: Option<u32>,
    /// The time since the first attempt started, or since somebody began to listen.
    pub elapsed: Duration,
    /// What happened.
    pub kind: EventKind<'a>,
}

/// What happened. A call makes these in the order: started, failed, waiting, started …, and ends with exactly one
/// of succeeded, gave up and cancelled; a loop by hand, if it says how it ended. One that goes on after a success continues with the
/// failure of that attempt, and ends again. Copies and what happens on the wire come in between.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum EventKind<'a> {
    /// An attempt starts.
    AttemptStarted,
    /// An attempt failed; whether another one follows is the next event.
    #[non_exhaustive]
    AttemptFailed {
        /// What is known of the failure.
        class: Class,
        /// The HTTP status, where there is one.
        status: Option<u16>,
        /// The error with its sources (`outer: inner`), or its `Display`, else its `Debug`, else its type's name; for
        /// an answer its status. User names, passwords, queries and fragments of URLs are masked, and control characters are
        /// escaped.
        reason: &'a dyn Display,
    },
    /// The next attempt follows after this delay; said before the wait.
    #[non_exhaustive]
    Waiting {
        /// How long the wait is, jitter and all.
        delay: Duration,
        /// Where the delay comes from.
        source: DelaySource,
        /// The delay that the server or the breaker asked for; `None` if the source is the backoff. The rest of `delay` is the
        /// schedule's jitter.
        asked: Option<Duration>,
    },
    /// Another copy of the attempt starts, beside those that run.
    #[non_exhaustive]
    Hedged {
        /// The number of the copy, from 2.
        copy: u32,
        /// How long there has been no good answer, from when the attempt first had to wait.
        after: Duration,
    },
    /// Something happened on the wire for the attempt, where the client was set up to tell.
    Connection(&'a ConnectionEvent),
    /// The call succeeded, with the first attempt or a later one.
    Succeeded,
    /// The last failure is given back to the caller.
    GaveUp(GiveUp),
    /// An attempt or a wait was dropped before its end. Not said while panicking.
    Cancelled,
}

/// Where a delay comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DelaySource {
    /// The policy's backoff and jitter.
    Backoff,
    /// The server, which asked for more than the backoff. Its delay is the lower bound, and the jitter of the schedule comes on top.
    Server,
    /// The breaker, which did not let the attempt through: until it may let a probe through.
    Breaker,
}

/// Why there is no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GiveUp {
    /// No attempt is left.
    Exhausted,
    /// The failure is not worth another attempt.
    Permanent,
    /// The next attempt could not start before the deadline.
    Deadline,
    /// The server asked for a delay above the policy's limit: this one.
    ServerDelay(Duration),
    /// It was retried inside of the attempt already, and the policy says [`Nested::Once`](crate::Nested::Once).
    Nested,
    /// The budget has not enough tokens for a retry.
    Budget,
    /// All retries are switched off: [`set_enabled`](crate::set_enabled).
    Disabled,
    /// The server may have processed the request, and its method is not one that is safe to send twice.
    NotIdempotent,
    /// The body of the request is a stream that was used up, so there is nothing to send again.
    BodyUsedUp,
}

/// Listens to the events of calls. Any number of calls may share one, on any thread.
///
/// Called on the task that retries, between attempts: it should not block. The standard listener needs no
/// `Observer`: with the `tracing` feature all events go to `tracing`, target `retry`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not listen to events",
    label = "does not implement `Observer`",
    note = "write `impl retry_runtime::Observer for` the type"
)]
pub trait Observer: Send + Sync {
    /// Something happened.
    fn on_event(&self, event: &Event<'_>);
}

macro_rules! delegate {
    ($($pointer:ty),*) => {$(
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
            EventKind::Waiting { delay, source: DelaySource::Backoff, .. } => {
                write!(f, "next attempt in {:?}", legible(delay))
            }
            EventKind::Waiting { delay, source: DelaySource::Breaker, .. } => {
                write!(f, "next attempt in {:?}, when the breaker may let a probe through", legible(delay))
            }
            EventKind::Waiting { delay, source: DelaySource::Server, asked: Some(asked) } if asked < delay => {
                write!(f, "next attempt in {:?}: the server asked for {:?}", legible(delay), legible(asked))
            }
            EventKind::Waiting { delay, source: DelaySource::Server, .. } => {
                write!(f, "next attempt in {:?}, as the server asked", legible(delay))
            }
            EventKind::Hedged { copy, after } => write!(f, "{n}: copy {copy} starts after {:?}", legible(after)),
            EventKind::Connection(what) => write!(f, "{n}: {what}"),
            EventKind::Succeeded => write!(f, "{n} succeeded"),
            EventKind::GaveUp(why) => write!(f, "gave up after {n}: {why}"),
            EventKind::Cancelled => write!(f, "cancelled in {n}"),
        }
    }
}

/// "attempt 1 of 3", or "attempt 1" without a limit.
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
            Self::Deadline => f.write_str("the next attempt could not start before the deadline"),
            Self::ServerDelay(delay) => write!(f, "the server asked to wait {delay:?}, longer than the limit"),
            Self::Nested => f.write_str("it was retried inside of the attempt already"),
            Self::Budget => f.write_str("the budget has no tokens for a retry"),
            Self::Disabled => f.write_str("retries are switched off"),
            Self::NotIdempotent => {
                f.write_str("the server may have processed the request, and its method is not idempotent")
            }
            Self::BodyUsedUp => f.write_str("the body of the request is a stream, which cannot be sent again"),
        }
    }
}

impl GiveUp {
    /// One word for it: `exhausted`, `permanent`, `deadline`, `server_delay`, `nested`, `budget`, `disabled`, `not_idempotent` or
    /// `body_used_up`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Permanent => "permanent",
            Self::Deadline => "deadline",
            Self::ServerDelay(_) => "server_delay",
            Self::Nested => "nested",
            Self::Budget => "budget",
            Self::Disabled => "disabled",
            Self::NotIdempotent => "not_idempotent",
            Self::BodyUsedUp => "body_used_up",
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
            Self::Waiting { delay, source, asked: _ } => {
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

impl From<NotSafe> for GiveUp {
    fn from(bar: NotSafe) -> Self {
        match bar {
            NotSafe::NotIdempotent => Self::NotIdempotent,
            NotSafe::BodyUsedUp => Self::BodyUsedUp,
        }
    }
}

/// What follows a failure: the delay before the next attempt and its source, or the reason that there is none.
pub(crate) type Decision = Result<(Duration, DelaySource), GiveUp>;
