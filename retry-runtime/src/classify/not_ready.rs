//! `NotReady`, the error of a call whose value was never ready, and its conversion into outcomes.

use core::fmt;
use std::error::Error;
use std::io;

use crate::classify::class::Class;
use crate::classify::retryable::Retryable;

/// The error of a call that ran out of attempts or time before its value was ready, as `until` defines it.
///
/// It is converted into the function's error type, which has to implement `From<NotReady>` (with thiserror: a variant
/// with `#[from] NotReady`, and `#[retryable(source)]` if the type derives `Retryable`). [`std::io::Error`], `String`, boxed errors, `anyhow::Error` and, with the features of the
/// same names, `reqwest::Error` and `tonic::Status` implement it already.
///
/// It is transient: the value may be ready later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotReady {
    attempts: u32,
}

impl NotReady {
    pub(crate) const fn after(attempts: u32) -> Self {
        Self { attempts }
    }

    /// The number of attempts that were made.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempts {
            1 => f.write_str("not ready after 1 attempt"),
            attempts => write!(f, "not ready after {attempts} attempts"),
        }
    }
}

impl Error for NotReady {}

impl Retryable for NotReady {
    fn class(&self) -> Class {
        Class::Transient
    }
}

impl From<NotReady> for io::Error {
    fn from(not_ready: NotReady) -> Self {
        Self::new(io::ErrorKind::TimedOut, not_ready)
    }
}

impl From<NotReady> for String {
    fn from(not_ready: NotReady) -> Self {
        not_ready.to_string()
    }
}

/// An outcome that can represent a call whose value was never ready.
///
/// Implemented for `Result<T, E>` where `E: From<NotReady>`, and for `Option<T>`, where it is `None`. Your own type may
/// implement it if it is an outcome by itself.
#[diagnostic::on_unimplemented(
    message = "a call that runs out of attempts or time before its value is ready cannot return a `{Self}`",
    label = "cannot be made from `NotReady`",
    note = "`until` never returns an unfinished value: the error is made from `retry_runtime::NotReady`, so write \
            `impl From<retry_runtime::NotReady> for` your error type (thiserror: `#[from] NotReady`, and with `derive(Retryable)` also `#[retryable(source)]`)",
    note = "to get the unfinished value instead, use `on_ok`"
)]
pub trait FromNotReady: Sized {
    /// The outcome of such a call.
    fn from_not_ready(not_ready: NotReady) -> Self;
}

// `do_not_recommend`: otherwise rustc reports that `E: From<NotReady>` is not met, instead of the message on the trait.
#[diagnostic::do_not_recommend]
impl<T, E: From<NotReady>> FromNotReady for Result<T, E> {
    fn from_not_ready(not_ready: NotReady) -> Self {
        Err(not_ready.into())
    }
}

#[diagnostic::do_not_recommend]
impl<T> FromNotReady for Option<T> {
    fn from_not_ready(_: NotReady) -> Self {
        None
    }
}
