//! The rules between arguments. Each rule is one function over [`Values`], with its message.
//!
//! A rule holds unless the known values break it: a value that is unknown breaks no rule. Rules about one value are in
//! [`number`](crate::number), since files check them while they read.

use crate::key::Key;
use crate::values::Values;

mod conditions;
mod limits;
mod schedule;

pub use limits::first_delay_reaches_deadline;
pub use schedule::{already_random, needs_upper_bound};

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

/// Checks all rules, and returns those that are broken.
#[must_use]
pub fn check(values: &Values) -> Vec<Broken> {
    let mut rules = Rules { values, broken: Vec::new() };
    rules.schedule();
    rules.limits();
    rules.conditions();
    rules.broken
}

struct Rules<'a> {
    values: &'a Values,
    broken: Vec<Broken>,
}

impl Rules<'_> {
    fn broken(&mut self, key: Key, at: At, message: impl Into<String>) {
        self.broken.push(Broken { key, at, message: message.into() });
    }

    /// Reports at the name of the argument that is written later. The first one is the one that the rule is about.
    fn broken_by(&mut self, key: Key, other: Key, message: impl Into<String>) {
        let at = self.later(At::Key(key), At::Key(other));
        self.broken(key, at, message);
    }

    /// The position that belongs to the argument that is written later.
    fn later(&self, one: At, other: At) -> At {
        let last = self.values.written.iter().rfind(|key| **key == one.key() || **key == other.key());
        if last == Some(&one.key()) { one } else { other }
    }

    /// Reports an argument that excludes others: at each of those that is written after it, or at the argument itself if one
    /// is written before it.
    fn excludes(&mut self, key: Key, others: &[Key], message: impl Fn(Key) -> String) {
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

#[cfg(test)]
mod tests;
