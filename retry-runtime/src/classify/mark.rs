//! Marks: `transient` and `permanent` override the classification of an error where it is created.

use core::fmt;
use core::time::Duration;
use std::error::Error;

use crate::classify::class::Class;
use crate::classify::failure::Failure;
use crate::classify::no_retry::NoRetry;
use crate::classify::retryable::Retryable;

type Boxed = Box<dyn Error + Send + Sync>;

/// An error that is explicitly marked as transient or permanent, whatever its type. Created by [`transient`] and
/// [`permanent`].
///
/// Its `Display` is that of the marked error, which is also its `source()`. In a search of
/// the `source()` chain, a mark takes precedence over all other errors.
#[derive(Debug)]
pub struct Marked {
    class: Class,
    error: Boxed,
}

impl Marked {
    /// Returns the marked error.
    #[must_use]
    pub fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.error
    }
}

/// Marks an error as transient, and so as worth another attempt. Use it where your function knows more about an error
/// than its type shows.
///
/// The mark is also found after `?` has converted the error into a boxed error or an `anyhow::Error`.
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

/// Marks an error as permanent, and so as not worth another attempt. See [`transient`].
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

/// The class is the mark, and the server delay is that of the marked error. The status is left out, because a status
/// would take precedence over the mark.
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

    fn no_retry(&self) -> Option<NoRetry> {
        self.error.no_retry()
    }

    /// Makes a single search of the marked error. With one search for each method, nested marks would take exponential
    /// time.
    fn failure(&self) -> Failure {
        self.error.failure().marked(self.class)
    }
}
