//! What is wrong with policies that were to be loaded.

use core::fmt::{self, Display, Formatter};
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::written::trail::Trail;

/// Why policies could not be loaded, and where that is: ``policies.toml:2:1: [billing] `attemps`: unknown key: did you mean `attempts`?``
///
/// A line of text without its end, whose words are not promised; the place has functions of its own.
#[derive(Debug)]
pub struct PoliciesError(Box<Wrong>);

#[derive(Debug)]
struct Wrong {
    file: Option<PathBuf>,
    position: Option<(usize, usize)>,
    /// Its message is what is wrong, if not the file itself.
    trail: Trail,
    source: Option<io::Error>,
}

impl PoliciesError {
    /// What the format says is what is wrong, unless something else was.
    pub(super) fn of(mut trail: Trail, format: String) -> Self {
        trail.message.get_or_insert(format);
        Self(Box::new(Wrong { file: None, position: None, trail, source: None }))
    }

    /// The file, where one was loaded.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.0.file.as_deref()
    }

    /// The line in the file, from 1, where the format tells.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.0.position.map(|(line, _)| line)
    }

    /// The column in the line, from 1, where the format tells.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.0.position.map(|(_, column)| column)
    }

    /// The name of the policy, where it is in one.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        self.0.trail.policy.as_deref()
    }

    /// The key, where it is at one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.trail.key.as_deref()
    }
}

impl PoliciesError {
    pub(super) fn unreadable(error: io::Error) -> Self {
        let mut wrong = Self::of(Trail::default(), String::new());
        wrong.0.source = Some(error);
        wrong
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
        let Wrong { file, position, trail, source } = &*self.0;
        if let Some(file) = file {
            write!(f, "{}", file.display())?;
            position.map_or(Ok(()), |(line, column)| write!(f, ":{line}:{column}"))?;
            f.write_str(": ")?;
        }
        match source {
            Some(error) => write!(f, "cannot be read: {error}"),
            None => Display::fmt(trail, f),
        }
    }
}

impl Error for PoliciesError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_ref().map(|error| error as _)
    }
}
