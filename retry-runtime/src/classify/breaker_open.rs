//! The error of an attempt that a circuit breaker rejected.

use core::fmt;
use core::time::Duration;
use std::error::Error;
use std::io;

use crate::classify::class::Class;
use crate::classify::retryable::Retryable;

/// An attempt was not made, for its breaker is open.
///
/// Permanent, unless the deadline of the call leaves time for the breaker to become half-open: then the retry waits for
/// that, however long it is ([`Retryable::breaker_delay`]). [`std::io::Error`], `String`, boxed errors, `anyhow::Error` and, with the features of these names,
/// `reqwest::Error` and `tonic::Status` are made from it; for an error of yours write `impl From<BreakerOpen>` (with thiserror: a variant with `#[from] BreakerOpen`).
/// The wait is found along its `source()` chain, or with `#[derive(Retryable)]` in a variant with `#[retryable(source)]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerOpen {
    name: &'static str,
    half_open_in: Duration,
    /// The deadline of the attempt leaves time for that.
    is_in_time: bool,
}

impl BreakerOpen {
    pub(crate) const fn new(name: &'static str, half_open_in: Duration, is_in_time: bool) -> Self {
        Self { name, half_open_in, is_in_time }
    }

    /// The breaker's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How long it will be until a probe is let through. While one is under way, it is how long to wait before asking again: as long
    /// as that probe has taken so far, between a tenth of [`Breaker::open_for`](crate::Breaker::open_for) and all of it.
    #[must_use]
    pub const fn half_open_in(&self) -> Duration {
        self.half_open_in
    }
}

impl fmt::Display for BreakerOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the breaker `{}` is open", self.name)
    }
}

impl Error for BreakerOpen {}

impl Retryable for BreakerOpen {
    fn class(&self) -> Class {
        if self.is_in_time { Class::Transient } else { Class::Permanent }
    }

    fn breaker_delay(&self) -> Option<Duration> {
        self.is_in_time.then_some(self.half_open_in)
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

/// An outcome that can say that its attempt was not made.
///
/// Implemented for `Result<T, E>` where `E: From<BreakerOpen>`, and for `Option<T>`, where it is `None`.
#[diagnostic::on_unimplemented(
    message = "an attempt that a breaker does not let through cannot give a `{Self}`",
    label = "cannot be made from `BreakerOpen`",
    note = "an attempt is not made while its `breaker` is open, and the error is made from `retry_runtime::breaker::BreakerOpen`: \
            write `impl From<retry_runtime::breaker::BreakerOpen> for` your error type (thiserror: `#[from] BreakerOpen`)",
    note = "the errors of reqwest and tonic can be made from it with the feature of that name of `retry-runtime`"
)]
pub trait FromBreakerOpen: Sized {
    /// The outcome of an attempt that was not made.
    fn from_breaker_open(open: BreakerOpen) -> Self;
}

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

/// What an attempt gives that was not made; `O` is written out to point at it.
pub fn not_made<O: FromBreakerOpen>(open: BreakerOpen) -> O {
    O::from_breaker_open(open)
}
