//! `Retryable`: how a type describes its own failure.

use core::convert::Infallible;
use core::time::Duration;
use std::rc::Rc;
use std::sync::Arc;

use crate::classify::class::Class;
use crate::classify::connection::{Connection, Via};
use crate::classify::failure::Failure;

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

    /// The results of the single methods of `value`.
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
            via: Via::of(value.connection()),
        }
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
pub(crate) use by_failure;
