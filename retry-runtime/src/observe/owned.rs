//! Owned events, which outlive their call and can be sent through a channel or stored.

use core::fmt::{self, Display};
use core::time::Duration;

use crate::classify::class::Class;
use crate::context::connection_event::ConnectionEvent;
use crate::observe::event::{DelaySource, Event, EventKind, GiveUp};

/// An [`Event`] that owns its data, so that it can be sent through a channel or stored. Created by [`Event::into_owned`].
///
/// Its `Display` is that of the event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnedEvent {
    /// The name of the call.
    pub name: String,
    /// The number of the attempt, starting at 1.
    pub attempt: u32,
    /// The limit on attempts, including the first one; `None` without a limit.
    pub attempts: Option<u32>,
    /// The time since the first attempt started, or since the call was first observed, if that was later.
    pub elapsed: Duration,
    /// The kind of event, with its details.
    pub kind: OwnedEventKind,
}

/// An [`EventKind`] that owns its data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OwnedEventKind {
    /// An attempt starts.
    AttemptStarted,
    /// An attempt failed.
    #[non_exhaustive]
    AttemptFailed {
        /// The class of the failure.
        class: Class,
        /// The HTTP status, if there is one.
        status: Option<u16>,
        /// The text of the failure. Secrets in URLs are masked, and control characters are escaped.
        reason: String,
    },
    /// An attempt succeeded with a value that is not ready yet.
    NotReady,
    /// The next attempt follows after this delay.
    #[non_exhaustive]
    Waiting {
        /// The length of the wait, including jitter.
        delay: Duration,
        /// The source of the delay.
        source: DelaySource,
        /// The delay that the server or the breaker asked for; `None` if the source is the backoff.
        requested: Option<Duration>,
        /// True if the attempt succeeded with a value that is not ready yet.
        not_ready: bool,
    },
    /// Another copy of the attempt starts.
    #[non_exhaustive]
    Hedged {
        /// The number of the copy, starting at 2.
        copy: u32,
        /// The time without a successful outcome.
        after: Duration,
    },
    /// A connection event of the attempt.
    Connection(ConnectionEvent),
    /// The call succeeded.
    Succeeded,
    /// The call returns its last failure to the caller.
    GaveUp(GiveUp),
    /// An attempt or a wait was dropped before its end.
    Cancelled,
}

impl Event<'_> {
    /// Converts the event into one that owns its data. Copies the name and formats the reason. An observer saves that
    /// cost for the events that it ignores.
    #[must_use]
    pub fn into_owned(self) -> OwnedEvent {
        let Self { name, attempt, attempts, elapsed, kind } = self;
        OwnedEvent { name: name.to_owned(), attempt, attempts, elapsed, kind: kind.into_owned() }
    }
}

impl EventKind<'_> {
    /// Converts the kind into one that owns its data.
    #[must_use]
    pub fn into_owned(self) -> OwnedEventKind {
        match self {
            Self::AttemptStarted => OwnedEventKind::AttemptStarted,
            Self::AttemptFailed { class, status, reason } => {
                OwnedEventKind::AttemptFailed { class, status, reason: reason.to_string() }
            }
            Self::NotReady => OwnedEventKind::NotReady,
            Self::Waiting { delay, source, requested, not_ready } => {
                OwnedEventKind::Waiting { delay, source, requested, not_ready }
            }
            Self::Hedged { copy, after } => OwnedEventKind::Hedged { copy, after },
            Self::Connection(what) => OwnedEventKind::Connection(what.clone()),
            Self::Succeeded => OwnedEventKind::Succeeded,
            Self::GaveUp(why) => OwnedEventKind::GaveUp(why),
            Self::Cancelled => OwnedEventKind::Cancelled,
        }
    }
}

impl OwnedEvent {
    /// Returns an event that borrows from this one.
    #[must_use]
    pub fn as_event(&self) -> Event<'_> {
        let Self { ref name, attempt, attempts, elapsed, ref kind } = *self;
        Event { name, attempt, attempts, elapsed, kind: kind.as_kind() }
    }
}

impl OwnedEventKind {
    /// Returns a kind that borrows from this one.
    #[must_use]
    pub fn as_kind(&self) -> EventKind<'_> {
        match self {
            Self::AttemptStarted => EventKind::AttemptStarted,
            Self::AttemptFailed { class, status, reason } => {
                EventKind::AttemptFailed { class: *class, status: *status, reason }
            }
            Self::NotReady => EventKind::NotReady,
            Self::Waiting { delay, source, requested, not_ready } => {
                EventKind::Waiting { delay: *delay, source: *source, requested: *requested, not_ready: *not_ready }
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
