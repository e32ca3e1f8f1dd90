//! What a type knows of its own failure.

use core::convert::Infallible;
use core::fmt;
use core::time::Duration;
use std::error::Error;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use crate::classify::chain;

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

/// What is known of one failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    class: Class,
    status: Option<u16>,
    delay: Option<Duration>,
    /// A breaker refused the attempt, so the delay is the breaker's and not the server's.
    kept_back: bool,
    unprocessed: bool,
    /// Set for clients that follow redirects and do not report them: the failure may be that of another server than the first.
    redirected: bool,
    timeout: bool,
    /// The connection that a response came over.
    #[cfg(feature = "connection-events")]
    pub(crate) connection: Option<crate::observe::connection::Connection>,
}

impl Failure {
    /// Of this class, with neither status nor server delay.
    #[must_use]
    pub const fn new(class: Class) -> Self {
        Self {
            class,
            status: None,
            delay: None,
            kept_back: false,
            unprocessed: false,
            redirected: false,
            timeout: false,
            #[cfg(feature = "connection-events")]
            connection: None,
        }
    }

    /// What `value` says of itself.
    #[must_use]
    pub fn of<R: Retryable + ?Sized>(value: &R) -> Self {
        value.failure()
    }

    /// The answers of the single methods of `value`.
    pub(crate) fn asked<R: Retryable + ?Sized>(value: &R) -> Self {
        let breaker_delay = value.breaker_delay();
        Self {
            class: value.class(),
            status: value.status(),
            delay: breaker_delay.or_else(|| value.server_delay()),
            kept_back: breaker_delay.is_some(),
            unprocessed: value.is_unprocessed(),
            redirected: false,
            timeout: value.is_timeout(),
            #[cfg(feature = "connection-events")]
            connection: value.connection(),
        }
    }

    /// The same with the class that its author marked it with. Without the status, which would decide before the mark does.
    pub(crate) const fn marked(self, class: Class) -> Self {
        Self { class, status: None, unprocessed: self.not_redirected().is_unprocessed(), ..self }
    }

    /// A success that is to be tried again is a failure of which nothing is known.
    pub(crate) fn refused(self) -> Self {
        let class = if self.class == Class::Success { Class::Unknown } else { self.class };
        Self { class, ..self }
    }

    /// The same with the delay that the server asked for.
    #[must_use]
    pub const fn with_server_delay(self, delay: Duration) -> Self {
        Self { delay: Some(delay), kept_back: false, ..self }
    }

    /// The same of an attempt that a [`Breaker`](crate::Breaker) did not let through, and when to ask it again. It
    /// replaces a server's delay.
    #[must_use]
    pub const fn with_breaker_delay(self, delay: Duration) -> Self {
        Self { delay: Some(delay), kept_back: true, ..self }
    }

    /// The same, of a request that the server cannot have processed.
    #[must_use]
    pub const fn before_processing(self) -> Self {
        Self { unprocessed: true, ..self }
    }

    /// The same of a request that took too long.
    #[must_use]
    pub const fn after_timeout(self) -> Self {
        Self { timeout: true, ..self }
    }

    /// The same, of an error that may be about something else than the request itself.
    #[cfg(any(feature = "hyper", feature = "reqwest-middleware"))]
    pub(crate) const fn perhaps_processed(self) -> Self {
        Self { unprocessed: false, ..self }
    }

    /// The same, reported by a client that follows redirects and does not tell.
    #[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
    pub(crate) const fn perhaps_redirected(self) -> Self {
        Self { redirected: true, ..self }
    }

    /// The same, of a request that was not redirected.
    pub(crate) const fn not_redirected(self) -> Self {
        Self { redirected: false, ..self }
    }

    /// The class.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.class
    }

    /// The HTTP status, where there is one.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.status
    }

    /// How long the server asked to wait, where it did.
    #[must_use]
    pub const fn server_delay(&self) -> Option<Duration> {
        if self.kept_back { None } else { self.delay }
    }

    /// How long to wait until a [`Breaker`](crate::Breaker) may let a probe through, where it did not let the attempt
    /// through. Only the deadline bounds that wait, not [`Policy::retry_after`](crate::Policy::retry_after).
    #[must_use]
    pub const fn breaker_delay(&self) -> Option<Duration> {
        if self.kept_back { self.delay } else { None }
    }

    /// Whether the server cannot have processed the request, so that it is safe to send again whatever its method:
    /// there was no connection, the server refused the request before it looked at it, or it answered 421 (RFC 9110
    /// §15.5.20), 425 (RFC 8470 §5.2), 429, or 503 with a delay.
    ///
    /// False for the errors and responses of reqwest: it follows redirects and does not report them, so the first server may
    /// have processed the request before the last one failed. [`Condition::assume_no_redirects`](crate::Condition::assume_no_redirects)
    /// and, with the feature `reqwest`, `track_redirects` on the client change that.
    #[must_use]
    pub const fn is_unprocessed(&self) -> bool {
        let is_unprocessed = match self.status {
            Some(421 | 425 | 429) => true,
            Some(503) if self.server_delay().is_some() => true,
            _ => self.unprocessed,
        };
        is_unprocessed && !self.redirected
    }

    /// Whether it took too long: a [`Budget`](crate::Budget) may take more for a retry then.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        self.timeout
    }
}

/// What a type knows of itself: whether it is worth another attempt, its HTTP status, and how long the server
/// asked to wait. Errors implement it, and responses.
///
/// `#[derive(Retryable)]` implements it for error enums. Implemented here for [`std::io::Error`], boxed errors,
/// [`Infallible`] and [`TimedOut`](crate::TimedOut); and by features:
///
/// | feature | for |
/// |---|---|
/// | `http` | `http::Response` |
/// | `reqwest`, `reqwest-012` | `reqwest::Error`, `reqwest::Response`, `StatusError` |
/// | `hyper` | `hyper::Error`, `hyper_util::client::legacy::Error` |
/// | `h2` | `h2::Error` |
/// | `tonic` | `tonic::Status`, `tonic::ConnectError`, `tonic::TimeoutExpired` |
/// | `tower` | `tower::timeout::error::Elapsed` |
///
/// It is asked after an attempt, on the task that made it, perhaps more than once; it should not block.
///
/// ```
/// use std::time::Duration;
/// use retry_runtime::{Class, Retryable};
///
/// enum ApiError { Busy { seconds: u64 }, BadKey }
///
/// impl Retryable for ApiError {
///     fn class(&self) -> Class {
///         match self {
///             Self::Busy { .. } => Class::Transient,
///             Self::BadKey => Class::Permanent,
///         }
///     }
///
///     fn server_delay(&self) -> Option<Duration> {
///         match self {
///             Self::Busy { seconds } => Some(Duration::from_secs(*seconds)),
///             Self::BadKey => None,
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "nothing is known of `{Self}`: whether it is worth another attempt",
    label = "does not implement `Retryable`",
    note = "derive it: `#[derive(Retryable)]`, or ask about any type with `verdict!(&outcome)`",
    note = "the types of reqwest, hyper, tonic and http are known with the feature of that name of `retry-runtime`"
)]
pub trait Retryable {
    /// Whether the failure may pass.
    fn class(&self) -> Class;

    /// The HTTP status, where there is one. It decides before the class does.
    fn status(&self) -> Option<u16> {
        None
    }

    /// How long the server asked to wait before the next attempt.
    fn server_delay(&self) -> Option<Duration> {
        None
    }

    /// How long to wait until a [`Breaker`](crate::Breaker) may let a probe through. For errors that hold a
    /// [`BreakerOpen`](crate::breaker::BreakerOpen): what that knows.
    fn breaker_delay(&self) -> Option<Duration> {
        None
    }

    /// Whether the server cannot have processed the request, apart from what its status says. Asked for where a request
    /// is not safe to send twice.
    ///
    /// An error that wraps one of reqwest should derive `Retryable` with `#[retryable(source)]` instead of calling these methods:
    /// the derived implementation also keeps that reqwest may have followed a redirect before it failed.
    fn is_unprocessed(&self) -> bool {
        false
    }

    /// Whether it took too long. Asked for where a [`Budget`](crate::Budget) is to pay for a retry.
    fn is_timeout(&self) -> bool {
        false
    }

    /// All of it, found in one search.
    #[doc(hidden)]
    fn failure(&self) -> Failure {
        Failure::asked(self)
    }

    /// The connection that a response came over, where it is of interest.
    #[cfg(feature = "connection-events")]
    #[doc(hidden)]
    fn connection(&self) -> Option<crate::observe::connection::Connection> {
        None
    }
}

/// There is no such error.
impl Retryable for Infallible {
    fn class(&self) -> Class {
        match *self {}
    }
}

/// The methods of [`Retryable`] for a type that knows what something inside of it knows.
macro_rules! known_by {
    ($self:ident => $inner:expr) => {
        fn class(&$self) -> $crate::Class {
            $crate::Retryable::class($inner)
        }
        fn status(&$self) -> Option<u16> {
            $crate::Retryable::status($inner)
        }
        fn server_delay(&$self) -> Option<core::time::Duration> {
            $crate::Retryable::server_delay($inner)
        }
        fn breaker_delay(&$self) -> Option<core::time::Duration> {
            $crate::Retryable::breaker_delay($inner)
        }
        fn is_unprocessed(&$self) -> bool {
            $crate::Retryable::is_unprocessed($inner)
        }
        fn is_timeout(&$self) -> bool {
            $crate::Retryable::is_timeout($inner)
        }
        fn failure(&$self) -> $crate::Failure {
            $crate::Retryable::failure($inner)
        }
    };
}
pub(crate) use known_by;

macro_rules! delegate {
    ($($pointer:ty),*) => {$(
        impl<T: Retryable + ?Sized> Retryable for $pointer {
            known_by!(self => &**self);
        }
    )*};
}
delegate!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

/// Implements [`Retryable`] for a type that finds out all of it in one search.
macro_rules! by_failure {
    ($(#[$documentation:meta])* $type:ty, $failure:expr) => {
        $(#[$documentation])*
        impl $crate::Retryable for $type {
            fn class(&self) -> $crate::Class {
                self.failure().class()
            }
            fn status(&self) -> Option<u16> {
                self.failure().status()
            }
            fn server_delay(&self) -> Option<core::time::Duration> {
                self.failure().server_delay()
            }
            fn breaker_delay(&self) -> Option<core::time::Duration> {
                self.failure().breaker_delay()
            }
            fn is_unprocessed(&self) -> bool {
                self.failure().is_unprocessed()
            }
            fn is_timeout(&self) -> bool {
                self.failure().is_timeout()
            }
            fn failure(&self) -> $crate::Failure {
                let find: fn(&Self) -> $crate::Failure = $failure;
                find(self)
            }
        }
    };
}
#[cfg(any(feature = "hyper", feature = "reqwest-middleware", feature = "tonic"))]
pub(crate) use by_failure;

macro_rules! walk {
    ($($object:ty),*) => {$(
        by_failure! {
            /// Searches the error and its `source()` chain for types that are known.
            $object, |error| chain::search(error)
        }
    )*};
}
walk!(io::Error, dyn Error, dyn Error + Send, dyn Error + Sync, dyn Error + Send + Sync);
