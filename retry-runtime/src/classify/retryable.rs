//! `Retryable`, the trait of types that describe their own failure, and macros that implement it.

use core::convert::Infallible;
use core::time::Duration;
use std::rc::Rc;
use std::sync::Arc;

use crate::classify::class::Class;
use crate::classify::connection::{Connection, Via};
use crate::classify::failure::Failure;
use crate::classify::no_retry::{NoRetry, ServerAdvice};

/// A type that describes its own failure: whether it is worth another attempt, its HTTP status, and the delay that the
/// server asked for. Errors and responses implement it.
///
/// `#[derive(Retryable)]` implements it for error enums. This crate implements it for [`std::io::Error`], boxed errors,
/// [`Infallible`], [`TimedOut`](crate::TimedOut) and [`BreakerOpen`](crate::breaker::BreakerOpen), and with the following
/// features:
///
/// | feature | types |
/// |---|---|
/// | `http` | `http::Response` |
/// | `reqwest`, `reqwest-012` | `reqwest::Error`, `reqwest::Response`, `StatusError` |
/// | `hyper` | `hyper::Error`, `hyper_util::client::legacy::Error` |
/// | `h2` | `h2::Error` |
/// | `tonic` | `tonic::Status`, `tonic::ConnectError`, `tonic::TimeoutExpired` |
/// | `tower` | `tower::timeout::error::Elapsed` |
///
/// The methods are called after an attempt, on the task that made it, possibly more than once. They should not block.
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
    message = "`{Self}` does not describe whether it is worth another attempt",
    label = "does not implement `Retryable`",
    note = "derive it with `#[derive(Retryable)]`, or classify an outcome of any type with `verdict!(&outcome)`",
    note = "the types of reqwest, hyper, tonic and http implement it with the feature of that name of `retry-runtime`"
)]
pub trait Retryable {
    /// The class of the failure.
    fn class(&self) -> Class;

    /// The HTTP status, if there is one. It takes precedence over the class. Defaults to `None`.
    fn status(&self) -> Option<u16> {
        None
    }

    /// The delay that the server asked for before the next attempt. Defaults to `None`.
    fn server_delay(&self) -> Option<Duration> {
        None
    }

    /// The time until a [`Breaker`](crate::Breaker) may admit the next attempt. Defaults to `None`. An error that holds a
    /// [`BreakerOpen`](crate::breaker::BreakerOpen) should return the delay of that one.
    fn breaker_delay(&self) -> Option<Duration> {
        None
    }

    /// Returns `true` if the error itself shows that the server has not processed the request, such as a refused connection. A request
    /// whose method is not safe to send twice is resent only then. Defaults to `false`.
    ///
    /// An error with a status may return `false`: 421, 425, 429, and 503 with a server delay count as not processed anyway. See
    /// [`Failure::is_unprocessed`].
    ///
    /// An error that wraps one of reqwest should derive `Retryable` with `#[retryable(source)]` instead of calling these
    /// methods. The derived implementation also preserves that reqwest may have followed a redirect before it failed.
    fn is_unprocessed(&self) -> bool {
        false
    }

    /// Returns `true` if the attempt took too long. Defaults to `false`. A [`Budget`](crate::Budget) may charge more
    /// tokens for a retry then.
    fn is_timeout(&self) -> bool {
        false
    }

    /// The reason why the server wants no further attempt, if it does. Defaults to `None`. Whatever the condition and the class, such
    /// a failure is not retried.
    fn no_retry(&self) -> Option<NoRetry> {
        None
    }

    /// The results of all methods, determined in a single search.
    #[doc(hidden)]
    fn failure(&self) -> Failure {
        Failure::from_methods(self)
    }

    /// The connection that a response came over, if connections are reported.
    #[doc(hidden)]
    fn connection(&self) -> Option<Connection> {
        None
    }
}

impl Failure {
    /// The failure that `value` describes.
    #[must_use]
    pub fn of<R: Retryable + ?Sized>(value: &R) -> Self {
        value.failure()
    }

    /// Collects the results of the separate methods of `value`.
    pub(crate) fn from_methods<R: Retryable + ?Sized>(value: &R) -> Self {
        Self::advised(value, ServerAdvice::new(value.no_retry()))
    }

    /// [`from_methods`](Self::from_methods) with this advice of the server.
    pub(crate) fn advised<R: Retryable + ?Sized>(value: &R, advice: ServerAdvice) -> Self {
        let breaker_delay = value.breaker_delay();
        Self {
            class: value.class(),
            status: value.status(),
            delay: breaker_delay.or_else(|| value.server_delay()),
            by_breaker: breaker_delay.is_some(),
            unprocessed: value.is_unprocessed(),
            redirected: false,
            timeout: value.is_timeout(),
            advice,
            cancelled: false,
            via: Via::of(value.connection()),
        }
    }
}

/// Never called, because no value of this type exists.
impl Retryable for Infallible {
    fn class(&self) -> Class {
        match *self {}
    }
}

/// The methods of [`Retryable`], delegated to a value inside the type.
macro_rules! delegates_to {
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
        fn no_retry(&$self) -> Option<$crate::outcome::NoRetry> {
            $crate::Retryable::no_retry($inner)
        }
        fn failure(&$self) -> $crate::Failure {
            $crate::Retryable::failure($inner)
        }
    };
}
pub(crate) use delegates_to;

macro_rules! delegate {
    ($($pointer:ty),*) => {$(
        impl<T: Retryable + ?Sized> Retryable for $pointer {
            delegates_to!(self => &**self);
        }
    )*};
}
delegate!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

/// Implements [`Retryable`] for a type that is classified by a single search: each method returns a part of the search's
/// result.
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
            fn no_retry(&self) -> Option<$crate::outcome::NoRetry> {
                self.failure().no_retry()
            }
            fn failure(&self) -> $crate::Failure {
                let find: fn(&Self) -> $crate::Failure = $failure;
                find(self)
            }
        }
    };
}
pub(crate) use by_failure;
