//! Classes of outcomes: success, transient, permanent or unknown.

use core::fmt;
use std::io;

/// The class of an outcome: whether the same call may succeed if it is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// A failure whose cause may go away: a refused connection, a timeout, status 503.
    Transient,
    /// A failure that will repeat itself: an invalid URL, status 404.
    Permanent,
    /// A failure that cannot be classified.
    Unknown,
    /// Not a failure. Returned by types that can represent success, such as responses.
    Success,
}

impl Class {
    /// The lowest HTTP status that is a failure.
    pub(crate) const FIRST_FAILURE: u16 = 400;

    /// The class of an HTTP status: 408, 429, 500, 502, 503 and 504 are transient, all other codes from 400 on are
    /// permanent, and all codes below 400 are successes.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            408 | 429 | 500 | 502 | 503 | 504 => Self::Transient,
            0..Self::FIRST_FAILURE => Self::Success,
            _ => Self::Permanent,
        }
    }

    /// The class of an I/O error.
    ///
    /// Transient: `ConnectionRefused`, `ConnectionReset`, `ConnectionAborted`, `NotConnected`, `BrokenPipe`,
    /// `TimedOut`, `Interrupted`, `UnexpectedEof`, `HostUnreachable`, `NetworkUnreachable`, `NetworkDown`.
    /// Permanent: `InvalidInput`, `Unsupported`, `PermissionDenied`. Unknown: all others.
    ///
    /// A refused connection also counts as unprocessed ([`Failure::is_unprocessed`](crate::Failure::is_unprocessed)).
    #[must_use]
    pub const fn of_io(kind: io::ErrorKind) -> Self {
        use io::ErrorKind::*;
        match kind {
            ConnectionRefused | ConnectionReset | ConnectionAborted | NotConnected | BrokenPipe | TimedOut
            | Interrupted | UnexpectedEof | HostUnreachable | NetworkUnreachable | NetworkDown => Self::Transient,
            InvalidInput | Unsupported | PermissionDenied => Self::Permanent,
            _ => Self::Unknown,
        }
    }

    /// The name of the class in events: `transient`, `permanent`, `unknown` or `success`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Permanent => "permanent",
            Self::Unknown => "unknown",
            Self::Success => "success",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
