//! The methods that generated code calls, for a type that is not an outcome. They never run, because rustc reports the type. They
//! exist so that it reports nothing else.

use core::fmt::Display;

use super::classify::NotAnOutcome;
use crate::classify::condition::Condition;
use crate::classify::drain::{DrainLimits, NoCleanup};
use crate::classify::failure::Failure;
use crate::classify::outcome_kind::OutcomeKind;
use crate::classify::verdict::Classification;

impl<O> NotAnOutcome<O> {
    pub fn __step(self) -> Self {
        self
    }
    pub fn value(self, _: &O) -> Option<Failure> {
        None
    }
    pub fn error(self, _: &O) -> Option<Failure> {
        None
    }
    pub fn failures(self, _: &O) -> Classification {
        Classification::new(None, None)
    }
    pub fn with_predicates(self) -> Self {
        self
    }
    pub fn on_ok<F>(self, _: &mut F) -> Self {
        self
    }
    pub fn on_error<F>(self, _: &mut F) -> Self {
        self
    }
    pub fn server_delay<F>(self, _: &mut F) -> Self {
        self
    }
}

impl<O> OutcomeKind<O> for NotAnOutcome<O> {
    type Cleanup = NoCleanup;

    fn classification(&mut self, outcome: &O, _: &Condition) -> Classification {
        self.failures(outcome)
    }
    fn text(&self, _: &O) -> impl Display {
        ""
    }
    fn discard(self, _: O, _: DrainLimits) -> NoCleanup {
        NoCleanup
    }
}
