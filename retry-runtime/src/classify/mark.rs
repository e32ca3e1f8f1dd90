//! The ways out where an error's type does not say what it is.

use core::fmt;
use core::time::Duration;
use std::error::Error;

use crate::classify::class::Class;
use crate::classify::failure::Failure;
use crate::classify::retryable::Retryable;

type Boxed = Box<dyn Error + Send + Sync>;

/// An error with a class that its author gave it, whatever its type. Made by [`transient`] and [`permanent`].
///
/// Its `Display` is the error's own; the error is its `source()`.
#[derive(Debug)]
pub struct Marked {
    class: Class,
    error: Boxed,
}

impl Marked {
    /// The error inside.
    #[must_use]
    pub fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.error
    }
}

/// Marks an error as worth another attempt; for the place in a function that knows it.
///
/// Found behind `?` into a boxed error or `anyhow::Error` as well.
///
/// ```
/// # use std::error::Error;
/// fn parse(text: &str) -> Result<u32, Box<dyn Error + Send + Sync>> {
///     Ok(text.parse::<u32>().map_err(retry_runtime::transient)?)
/// }
/// # assert!(parse("x").is_err());
/// ```
pub fn transient(error: impl Into<Box<dyn Error + Send + Sync>>) -> Marked {
    Marked { class: Class::Transient, error: error.into() }
}

/// Marks an error as not worth another attempt. See [`transient`].
pub fn permanent(error: impl Into<Box<dyn Error + Send + Sync>>) -> Marked {
    Marked { class: Class::Permanent, error: error.into() }
}

impl fmt::Display for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for Marked {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.error)
    }
}

/// The class is the mark. The server's delay is that of the marked error. The status is left out, because it would decide before
/// the mark does.
impl Retryable for Marked {
    fn class(&self) -> Class {
        self.class
    }

    fn server_delay(&self) -> Option<Duration> {
        self.error.server_delay()
    }

    fn breaker_delay(&self) -> Option<Duration> {
        self.error.breaker_delay()
    }

    fn is_unprocessed(&self) -> bool {
        self.error.is_unprocessed()
    }

    fn is_timeout(&self) -> bool {
        self.error.is_timeout()
    }

    /// One search for all of it: with one for each method, nested marks would take exponential time.
    fn failure(&self) -> Failure {
        self.error.failure().marked(self.class)
    }
}
