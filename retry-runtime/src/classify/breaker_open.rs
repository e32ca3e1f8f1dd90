//! `BreakerOpen`, the error of an attempt that an open circuit breaker rejected, and its conversion into outcomes.

use core::fmt;
use core::time::Duration;
use std::error::Error;
use std::io;

use crate::classify::class::Class;
use crate::classify::retryable::Retryable;

/// The error of an attempt that was not made, because its breaker is open or paused.
///
/// It is permanent, unless the deadline of the call leaves time for the breaker to become half-open, or for the end of the
/// pause. It is transient then, and the retry waits for the breaker, however long that takes ([`Retryable::breaker_delay`]).
///
/// [`std::io::Error`], `String`, boxed errors, `anyhow::Error` and, with the features of the same names, `reqwest::Error`
/// and `tonic::Status` implement `From<BreakerOpen>`. For your own error type, write `impl From<BreakerOpen>` (with
/// thiserror: a variant with `#[from] BreakerOpen`, and `#[retryable(source)]` if the type derives `Retryable`, because the variant
/// is of unknown class otherwise).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerOpen {
    name: &'static str,
    half_open_in: Duration,
    /// True if the deadline of the attempt leaves time for that.
    is_in_time: bool,
    is_paused: bool,
}

impl BreakerOpen {
    pub(crate) const fn new(name: &'static str, half_open_in: Duration, is_in_time: bool) -> Self {
        Self { name, half_open_in, is_in_time, is_paused: false }
    }

    pub(crate) const fn with_pause(self, is_paused: bool) -> Self {
        Self { is_paused, ..self }
    }

    /// The breaker's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The time until the breaker lets a probe through.
    ///
    /// While a probe is running, this is the time to wait before the next attempt to pass the breaker: as long as the
    /// probe has taken so far, but at least a tenth of [`Breaker::open_for`](crate::Breaker::open_for) and at most all of
    /// it.
    ///
    /// While the breaker is paused, this is the rest of the pause, and a random part of up to a tenth of the pause.
    #[must_use]
    pub const fn half_open_in(&self) -> Duration {
        self.half_open_in
    }

    /// Returns `true` if the breaker is paused because the server asked to wait
    /// ([`Breaker::pause_on_retry_after`](crate::Breaker::pause_on_retry_after)), and `false` if it is open or half-open
    /// because attempts have failed.
    #[must_use]
    pub const fn is_paused(&self) -> bool {
        self.is_paused
    }
}

impl fmt::Display for BreakerOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_paused {
            true => write!(f, "the breaker `{}` is paused: the server asked to wait", self.name),
            false => write!(f, "the breaker `{}` is open", self.name),
        }
    }
}

impl Error for BreakerOpen {}

impl Retryable for BreakerOpen {
    fn class(&self) -> Class {
        if self.is_in_time { Class::Transient } else { Class::Permanent }
    }

    fn breaker_delay(&self) -> Option<Duration> {
        Some(self.half_open_in)
    }

    fn is_unprocessed(&self) -> bool {
        true
    }
}

impl From<BreakerOpen> for io::Error {
    fn from(open: BreakerOpen) -> Self {
        Self::other(open)
    }
}

impl From<BreakerOpen> for String {
    fn from(open: BreakerOpen) -> Self {
        open.to_string()
    }
}

/// An outcome that can represent an attempt that was not made.
///
/// Implemented for `Result<T, E>` where `E: From<BreakerOpen>`, and for `Option<T>`, where it is `None`.
#[diagnostic::on_unimplemented(
    message = "an attempt that a circuit breaker rejects cannot return a `{Self}`",
    label = "cannot be made from `BreakerOpen`",
    note = "a `breaker` that is open rejects the attempt, and the error is made from `retry_runtime::breaker::BreakerOpen`: \
            write `impl From<retry_runtime::breaker::BreakerOpen> for` your error type (thiserror: `#[from] BreakerOpen`, and with `derive(Retryable)` also `#[retryable(source)]`)",
    note = "the errors of reqwest and tonic can be made from it with the feature of that name of `retry-runtime`"
)]
pub trait FromBreakerOpen: Sized {
    /// The outcome of an attempt that was not made.
    fn from_breaker_open(open: BreakerOpen) -> Self;
}

// `do_not_recommend`: otherwise rustc reports that `E: From<BreakerOpen>` is not met, instead of the message on the trait.
#[diagnostic::do_not_recommend]
impl<T, E: From<BreakerOpen>> FromBreakerOpen for Result<T, E> {
    fn from_breaker_open(open: BreakerOpen) -> Self {
        Err(open.into())
    }
}

#[diagnostic::do_not_recommend]
impl<T> FromBreakerOpen for Option<T> {
    fn from_breaker_open(_: BreakerOpen) -> Self {
        None
    }
}

/// The outcome of an attempt that was not made. Generated code calls it with the type `O` written out, so that rustc
/// points at that type if it does not implement [`FromBreakerOpen`].
pub fn rejected<O: FromBreakerOpen>(open: BreakerOpen) -> O {
    O::from_breaker_open(open)
}
