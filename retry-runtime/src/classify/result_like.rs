//! The two sides of an outcome, the value and the error, whatever their types.

use core::convert::Infallible;
use core::fmt::{self, Display};

use crate::classify::retryable::Retryable;

/// The two sides of an outcome.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an outcome that can be retried",
    label = "neither a `Result`, nor an `Option`, nor a type that implements `Retryable`",
    note = "return a `Result` or an `Option`, or implement `retry_runtime::Retryable` for the type"
)]
pub trait ResultLike {
    /// The type of the value, which a successful outcome holds.
    type Value;
    /// The type of the error.
    type Error;
    /// The value; `None` for an error.
    fn value(&self) -> Option<&Self::Value>;
    /// The error; `None` for a value.
    fn error(&self) -> Option<&Self::Error>;
    /// The value itself; `None` for an error.
    fn into_value(self) -> Option<Self::Value>;
}

// `do_not_recommend`, here and below: otherwise rustc reports that the type does not implement `Retryable`, the bound of
// one of these implementations, instead of the message on the trait.
#[diagnostic::do_not_recommend]
impl<T, E> ResultLike for Result<T, E> {
    type Value = T;
    type Error = E;
    #[inline(always)]
    fn value(&self) -> Option<&T> {
        self.as_ref().ok()
    }
    #[inline(always)]
    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }
    fn into_value(self) -> Option<T> {
        self.ok()
    }
}

#[diagnostic::do_not_recommend]
impl<T> ResultLike for Option<T> {
    type Value = T;
    type Error = NoValue;
    #[inline(always)]
    fn value(&self) -> Option<&T> {
        self.as_ref()
    }
    #[inline(always)]
    fn error(&self) -> Option<&NoValue> {
        if self.is_none() { Some(&NoValue) } else { None }
    }
    fn into_value(self) -> Option<T> {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<R: Retryable> ResultLike for R {
    type Value = R;
    type Error = Infallible;
    #[inline(always)]
    fn value(&self) -> Option<&R> {
        Some(self)
    }
    #[inline(always)]
    fn error(&self) -> Option<&Self::Error> {
        None
    }
    fn into_value(self) -> Option<R> {
        Some(self)
    }
}

/// The error of an `Option` that is `None`. It cannot be classified.
#[derive(Clone, Copy, Debug)]
pub struct NoValue;

impl Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no value")
    }
}
