//! `Shared`: a value that calls share, borrowed or in an `Arc`.

use core::fmt;
use core::ops::Deref;
use std::sync::Arc;

/// A [`Budget`](crate::Budget) or a [`Breaker`](crate::Breaker) that calls share. It is made from a reference, an `Arc`, or a reference to
/// an `Arc`. The value itself is not accepted: a budget of its own for each call would limit nothing.
pub struct Shared<'a, T>(Kept<'a, T>);

enum Kept<'a, T> {
    Borrowed(&'a T),
    Counted(Arc<T>),
}

impl<T> Deref for Shared<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Kept::Borrowed(value) => value,
            Kept::Counted(value) => value,
        }
    }
}

impl<T> Clone for Shared<'_, T> {
    fn clone(&self) -> Self {
        match &self.0 {
            Kept::Borrowed(value) => Self(Kept::Borrowed(value)),
            Kept::Counted(value) => Self(Kept::Counted(value.clone())),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T> From<Arc<T>> for Shared<'_, T> {
    fn from(value: Arc<T>) -> Self {
        Self(Kept::Counted(value))
    }
}

impl<'a, T> From<&'a T> for Shared<'a, T> {
    fn from(value: &'a T) -> Self {
        Self(Kept::Borrowed(value))
    }
}

impl<'a, T> From<&'a Arc<T>> for Shared<'a, T> {
    fn from(value: &'a Arc<T>) -> Self {
        Self(Kept::Borrowed(value))
    }
}
