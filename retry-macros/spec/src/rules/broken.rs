//! The broken rules, and the ways to report one.

use crate::key::Key;
use crate::values::Values;

/// A rule that the values break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The argument that the rule is about.
    pub key: Key,
    /// The position to report: for a rule about two arguments, that of the one that is written later.
    pub at: At,
    /// The problem, and what to write instead.
    pub message: String,
}

/// A position in the arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The name of an argument.
    Key(Key),
    /// The value of an argument.
    Value(Key),
    /// An element of `delays`.
    Delay(usize),
}

impl At {
    const fn key(self) -> Key {
        match self {
            Self::Key(key) | Self::Value(key) => key,
            Self::Delay(_) => Key::Delays,
        }
    }
}

/// The rules over some values. The other modules add one method for each rule.
pub(super) struct Rules<'a> {
    pub(super) values: &'a Values,
    pub(super) broken: Vec<Broken>,
}

impl Rules<'_> {
    pub(super) fn broken(&mut self, key: Key, at: At, message: impl Into<String>) {
        self.broken.push(Broken { key, at, message: message.into() });
    }

    /// Reports at the name of the argument that is written later. The first one is the one that the rule is about.
    pub(super) fn broken_by(&mut self, key: Key, other: Key, message: impl Into<String>) {
        let at = self.later(At::Key(key), At::Key(other));
        self.broken(key, at, message);
    }

    /// The position that belongs to the argument that is written later.
    pub(super) fn later(&self, one: At, other: At) -> At {
        let last = self.values.written.iter().rfind(|key| **key == one.key() || **key == other.key());
        if last == Some(&one.key()) { one } else { other }
    }

    /// Reports an argument that excludes others: at each of those that is written after it, or at the argument itself if one
    /// is written before it.
    pub(super) fn excludes(&mut self, key: Key, others: &[Key], message: impl Fn(Key) -> String) {
        let written = &self.values.written;
        let Some(place) = written.iter().position(|written| *written == key) else { return };
        let (before, after) = written.split_at(place);
        let before = before.iter().find(|other| others.contains(other)).map(|other| (At::Key(key), *other));
        let after = after.iter().filter(|other| others.contains(other)).map(|other| (At::Key(*other), *other));
        for (at, other) in before.into_iter().chain(after) {
            self.broken(key, at, message(other));
        }
    }
}
