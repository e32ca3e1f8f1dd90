//! The text of a failure, in events.

use core::fmt::{self, Display, Write};
use std::error::Error;

use crate::classify::chain;
use crate::classify::class::Class;
use crate::classify::verdict::Verdict;

/// Writes the error and its sources, `outer: inner`. A source is left out if its error already contains its text.
///
/// The sources are needed because the `Display` of an error often leaves out the cause: for a refused connection, that of
/// reqwest starts with "error sending request" and does not mention the connection.
///
/// Each error is formatted directly into `f`, so that the masking sees where the values in the text begin and end.
pub(crate) fn write_chain(error: &dyn Error, f: &mut impl Write) -> fmt::Result {
    write!(f, "{error}")?;
    let mut previous = error.to_string();
    for source in error.source().into_iter().flat_map(chain::links) {
        let text = source.to_string();
        if !previous.contains(&text) {
            // A piece of its own, because the masking recognizes the separator between two errors by that.
            f.write_str(": ")?;
            write!(f, "{source}")?;
            previous = text;
        }
    }
    Ok(())
}

#[cfg(feature = "reqwest")]
pub(crate) struct WithSources<'a, E: ?Sized>(pub(crate) &'a E);

#[cfg(feature = "reqwest")]
impl<E: Error + ?Sized> Display for WithSources<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_chain(&self.0, f)
    }
}

/// The reason of a failure that has no text of its own: its status, or else its class.
pub(crate) enum FallbackReason {
    Status(u16),
    Class(Class),
    /// A success that `on_ok` retries.
    Refused,
}

impl FallbackReason {
    pub(crate) fn of(verdict: Verdict) -> Self {
        let status = verdict.failure().and_then(|failure| failure.status());
        let class = verdict.failure().map_or(Class::Unknown, |failure| failure.class());
        status.map_or(Self::Class(class), Self::Status)
    }
}

impl Display for FallbackReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status}"),
            Self::Class(Class::Unknown) => f.write_str("a failure of unknown class"),
            Self::Class(class) => write!(f, "a {class} failure"),
            Self::Refused => f.write_str("`on_ok` asks for another attempt"),
        }
    }
}
