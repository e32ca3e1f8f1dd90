//! Classes of outcomes: success, transient, permanent or unknown.

use core::fmt;
use std::io;

/// What is known of an outcome: whether the same call may well succeed if it is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// The cause may pass: a refused connection, a timeout, status 503.
    Transient,
    /// The same call will fail again: a bad URL, status 404.
    Permanent,
    /// Nothing is known.
    Unknown,
    /// No failure at all. Said by types that are not always failures, such as responses.
    Success,
}

impl Class {
    /// The lowest status that is no success.
    pub(crate) const FIRST_FAILURE: u16 = 400;

    /// The class of an HTTP status: 408, 429, 500, 502, 503 and 504 are transient, other codes from 400 up are
    /// permanent, all below are successes.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            408 | 429 | 500 | 502 | 503 | 504 => Self::Transient,
            0..Self::FIRST_FAILURE => Self::Success,
            _ => Self::Permanent,
        }
    }

    /// The class of an I/O error. A refused connection is also known to have processed nothing.
    ///
    /// Transient: `ConnectionRefused`, `ConnectionReset`, `ConnectionAborted`, `NotConnected`, `BrokenPipe`,
    /// `TimedOut`, `Interrupted`, `UnexpectedEof`, `HostUnreachable`, `NetworkUnreachable`, `NetworkDown`.
    /// Permanent: `InvalidInput`, `Unsupported`, `PermissionDenied`. Unknown: all others.
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

    /// The word for it in events: `transient`, `permanent`, `unknown` or `success`.
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
