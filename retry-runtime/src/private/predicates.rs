//! The user's predicates on an outcome: `on_ok`, `until`, `on_error`, `server_delay` and `error_delay`.
//!
//! They are taken as `&mut dyn FnMut`, not by a bound. For a function with another signature, rustc then reports a mismatch at the
//! user's function. The error of a bound would also name these methods, which the user did not write. The outcome's type is known
//! before the closure, so the types of its parameters are inferred.

use core::fmt::{self, Display};
use core::time::Duration;

use crate::classify::condition::Condition;
use crate::classify::drain::DrainLimits;
use crate::classify::outcome_kind::OutcomeKind;
use crate::classify::result_like::ResultLike;
use crate::classify::verdict::{Classification, Verdict};
use crate::private::classify::{ErrorKind, Kind, TextKind, ValueKind};

type Predicate<'p, A, R> = Option<&'p mut dyn FnMut(&A) -> R>;

/// The `OutcomeKind` of an annotated function with predicates.
pub struct WithPredicates<'p, O: ResultLike, V, E, T> {
    kind: Kind<O, V, E, T>,
    on_ok: Predicate<'p, O::Value, bool>,
    on_error: Predicate<'p, O::Error, bool>,
    server_delay: Predicate<'p, O::Value, Option<Duration>>,
    until: Predicate<'p, O::Value, bool>,
    error_delay: Predicate<'p, O::Error, Option<Duration>>,
}

impl<O: ResultLike, V, E, T> Kind<O, V, E, T> {
    /// Adds predicates. They are called after the types have classified the outcome.
    #[inline(always)]
    pub fn with_predicates<'p>(self) -> WithPredicates<'p, O, V, E, T> {
        WithPredicates { kind: self, on_ok: None, on_error: None, server_delay: None, until: None, error_delay: None }
    }
}

impl<'p, O: ResultLike, V, E, T> WithPredicates<'p, O, V, E, T> {
    /// Adds `on_ok`, which returns true to retry a value.
    #[inline(always)]
    pub fn on_ok(self, predicate: &'p mut dyn FnMut(&O::Value) -> bool) -> Self {
        Self { on_ok: Some(predicate), ..self }
    }

    /// Adds `on_error`, which returns true to retry an error.
    #[inline(always)]
    pub fn on_error(self, predicate: &'p mut dyn FnMut(&O::Error) -> bool) -> Self {
        Self { on_error: Some(predicate), ..self }
    }

    /// Adds `server_delay`, which is called for values that are to be retried.
    #[inline(always)]
    pub fn server_delay(self, read: &'p mut dyn FnMut(&O::Value) -> Option<Duration>) -> Self {
        Self { server_delay: Some(read), ..self }
    }

    /// Adds `until`, which returns true for a value that is ready. It is called for values that are a success otherwise.
    #[inline(always)]
    pub fn until(self, predicate: &'p mut dyn FnMut(&O::Value) -> bool) -> Self {
        Self { until: Some(predicate), ..self }
    }

    /// Adds `error_delay`, which is called for errors that are to be retried.
    #[inline(always)]
    pub fn error_delay(self, read: &'p mut dyn FnMut(&O::Error) -> Option<Duration>) -> Self {
        Self { error_delay: Some(read), ..self }
    }

    /// Adds the delays that `server_delay` and `error_delay` read to a classification of the outcome.
    #[inline(always)]
    pub fn with_delays(&mut self, outcome: &O, mut classification: Classification) -> Classification {
        if let (Some(read), Some(value)) = (&mut self.server_delay, outcome.value()) {
            classification = classification.server_delay(read(value));
        }
        if let (Some(read), Some(error)) = (&mut self.error_delay, outcome.error()) {
            classification = classification.error_delay(read(error));
        }
        classification
    }
}

impl<O, V, E, T> OutcomeKind<O> for WithPredicates<'_, O, V, E, T>
where
    O: ResultLike,
    V: ValueKind<O>,
    E: ErrorKind<O>,
    T: TextKind<O>,
{
    type Cleanup = V::Cleanup;

    #[inline]
    fn classification(&mut self, outcome: &O, condition: &Condition) -> Classification {
        let mut classification = self.kind.failures(outcome);
        if let (Some(on_ok), Some(value)) = (&mut self.on_ok, outcome.value()) {
            classification = classification.on_ok(on_ok(value));
        }
        if let (Some(on_error), Some(error)) = (&mut self.on_error, outcome.error()) {
            classification = classification.on_error(Some(on_error(error)));
        }
        if let (Some(until), Some(value)) = (&mut self.until, outcome.value()) {
            if condition.verdict(classification) == Verdict::Done && !until(value) {
                classification = classification.not_ready();
            }
        }
        if condition.is_retried(classification) { self.with_delays(outcome, classification) } else { classification }
    }

    #[inline(always)]
    fn text(&self, outcome: &O) -> impl Display {
        self.kind.text(outcome)
    }

    #[inline(always)]
    fn discard(self, outcome: O, limits: DrainLimits) -> V::Cleanup {
        self.kind.discard(outcome, limits)
    }
}

impl<O: ResultLike, V, E, T> fmt::Debug for WithPredicates<'_, O, V, E, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WithPredicates")
    }
}
