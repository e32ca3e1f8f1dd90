//! Events that outlive their call, for channels and records.

use core::fmt::{self, Display};
use core::time::Duration;

use crate::classify::class::Class;
use crate::context::connection_event::ConnectionEvent;
use crate::observe::event::{DelaySource, Event, EventKind, GiveUp};

/// An [`Event`] that owns what it says: to be sent through a channel, or kept. Made by [`Event::into_owned`].
///
/// Its `Display` is that of the event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnedEvent {
    /// The name of the call.
    pub name: String,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The most attempts there may be; `None` without a limit.
    pub attempts: Option<u32>,
    /// The time since the first attempt started, or since somebody began to listen.
    pub elapsed: Duration,
    /// What happened.
    pub kind: OwnedEventKind,
}

/// An [`EventKind`] that owns what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OwnedEventKind {
    /// An attempt starts.
    AttemptStarted,
    /// An attempt failed.
    #[non_exhaustive]
    AttemptFailed {
        /// What is known of the failure.
        class: Class,
        /// The HTTP status, where there is one.
        status: Option<u16>,
        /// The text of the error. The secrets of URLs are masked, and control characters are escaped.
        reason: String,
    },
    /// The next attempt follows after this delay.
    #[non_exhaustive]
    Waiting {
        /// How long the wait is, jitter and all.
        delay: Duration,
        /// Where the delay comes from.
        source: DelaySource,
        /// The delay that the server or the breaker asked for; `None` if the source is the backoff.
        asked: Option<Duration>,
    },
    /// Another copy of the attempt starts.
    #[non_exhaustive]
    Hedged {
        /// The number of the copy, from 2.
        copy: u32,
        /// How long there has been no good answer.
        after: Duration,
    },
    /// Something happened on the wire for the attempt.
    Connection(ConnectionEvent),
    /// The call succeeded.
    Succeeded,
    /// The last failure is given back to the caller.
    GaveUp(GiveUp),
    /// An attempt or a wait was dropped before its end.
    Cancelled,
}

impl Event<'_> {
    /// The event as a value of its own. Copies the name and writes the reason: what an observer need not do for events
    /// that nobody asks for.
    #[must_use]
    pub fn into_owned(self) -> OwnedEvent {
        let Self { name, attempt, attempts, elapsed, kind } = self;
        OwnedEvent { name: name.to_owned(), attempt, attempts, elapsed, kind: kind.into_owned() }
    }
}

impl EventKind<'_> {
    /// The same as a value of its own.
    #[must_use]
    pub fn into_owned(self) -> OwnedEventKind {
        match self {
            Self::AttemptStarted => OwnedEventKind::AttemptStarted,
            Self::AttemptFailed { class, status, reason } => {
                OwnedEventKind::AttemptFailed { class, status, reason: reason.to_string() }
            }
            Self::Waiting { delay, source, asked } => OwnedEventKind::Waiting { delay, source, asked },
            Self::Hedged { copy, after } => OwnedEventKind::Hedged { copy, after },
            Self::Connection(what) => OwnedEventKind::Connection(what.clone()),
            Self::Succeeded => OwnedEventKind::Succeeded,
            Self::GaveUp(why) => OwnedEventKind::GaveUp(why),
            Self::Cancelled => OwnedEventKind::Cancelled,
        }
    }
}

impl OwnedEvent {
    /// The event that it was made of.
    #[must_use]
    pub fn as_event(&self) -> Event<'_> {
        let Self { ref name, attempt, attempts, elapsed, ref kind } = *self;
        Event { name, attempt, attempts, elapsed, kind: kind.as_kind() }
    }
}

impl OwnedEventKind {
    /// What it was made of.
    #[must_use]
    pub fn as_kind(&self) -> EventKind<'_> {
        match self {
            Self::AttemptStarted => EventKind::AttemptStarted,
            Self::AttemptFailed { class, status, reason } => {
                EventKind::AttemptFailed { class: *class, status: *status, reason }
            }
            Self::Waiting { delay, source, asked } => {
                EventKind::Waiting { delay: *delay, source: *source, asked: *asked }
            }
            Self::Hedged { copy, after } => EventKind::Hedged { copy: *copy, after: *after },
            Self::Connection(what) => EventKind::Connection(what),
            Self::Succeeded => EventKind::Succeeded,
            Self::GaveUp(why) => EventKind::GaveUp(*why),
            Self::Cancelled => EventKind::Cancelled,
        }
    }
}

impl Display for OwnedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_event().fmt(f)
    }
}
