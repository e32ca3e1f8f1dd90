//! The error of loading policies.

use core::fmt::{self, Display, Formatter};
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::spec::path::ErrorPath;

/// An error in policies that were loaded, with its position:
/// ``policies.toml:2:1: [billing] `attemps`: unknown key: did you mean `attempts`?``
///
/// The text is one line and may change in any release. Methods return the parts of the position.
// Boxed, so that a `Result` with it stays small.
#[derive(Debug)]
pub struct PoliciesError(Box<Details>);

#[derive(Debug)]
struct Details {
    file: Option<PathBuf>,
    position: Option<(usize, usize)>,
    /// Its message is the error, unless the file could not be read.
    path: ErrorPath,
    source: Option<io::Error>,
}

impl PoliciesError {
    /// Uses the message of the format, unless the path already has one.
    pub(super) fn of(mut path: ErrorPath, format: String) -> Self {
        path.message.get_or_insert(format);
        Self(Box::new(Details { file: None, position: None, path, source: None }))
    }

    /// The file, if one was loaded.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.0.file.as_deref()
    }

    /// The line in the file, from 1. `None` if the format does not report it.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.0.position.map(|(line, _)| line)
    }

    /// The column in the line, from 1. `None` if the format does not report it.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.0.position.map(|(_, column)| column)
    }

    /// The name of the policy, if the error is in one.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        self.0.path.policy.as_deref()
    }

    /// The key, if the error is at one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.path.key.as_deref()
    }
}

impl PoliciesError {
    pub(super) fn unreadable(error: io::Error) -> Self {
        let mut unreadable = Self::of(ErrorPath::default(), String::new());
        unreadable.0.source = Some(error);
        unreadable
    }

    pub(super) fn at(mut self, line: usize, column: usize) -> Self {
        self.0.position = Some((line, column));
        self
    }

    pub(super) fn in_file(mut self, file: &Path) -> Self {
        self.0.file = Some(file.to_owned());
        self
    }
}

impl Display for PoliciesError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Details { file, position, path, source } = &*self.0;
        if let Some(file) = file {
            write!(f, "{}", file.display())?;
            position.map_or(Ok(()), |(line, column)| write!(f, ":{line}:{column}"))?;
            f.write_str(": ")?;
        }
        match source {
            Some(error) => write!(f, "cannot be read: {error}"),
            None => Display::fmt(path, f),
        }
    }
}

impl Error for PoliciesError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_ref().map(|error| error as _)
    }
}
