//! The value and the error of an outcome, of whatever type they are.

use core::convert::Infallible;
use core::fmt::{self, Display};

use crate::classify::retryable::Retryable;

/// The two sides of an outcome.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no outcome that can be tried again",
    label = "neither a `Result`, nor an `Option`, nor a type that implements `Retryable`",
    note = "return a `Result` or an `Option`, or implement `retry_runtime::Retryable` for the type"
)]
pub trait ResultLike {
    /// What it gives when there is no error.
    type Value;
    /// The error.
    type Error;
    /// The answer, if it is one.
    fn value(&self) -> Option<&Self::Value>;
    /// The error, if it is one.
    fn error(&self) -> Option<&Self::Error>;
    /// The answer by value.
    fn into_value(self) -> Option<Self::Value>;
}

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

/// What stands for the error of an `Option` that is `None`: nothing is known of it.
#[derive(Clone, Copy, Debug)]
pub struct NoValue;

impl Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no value")
    }
}
