//! Classification, text and disposal of the outcome of an annotated function.

use core::fmt::Display;

use crate::classify::condition::Condition;
use crate::classify::drain::{Cleanup, DrainLimits};
use crate::classify::verdict::Classification;

/// How outcomes of type `O` are classified, described and discarded. Generated code finds the implementation by the types of
/// the value and of the error.
pub trait OutcomeKind<O> {
    /// The work that a pause does for a discarded outcome.
    type Cleanup: Cleanup;

    /// True for an outcome that is certainly a success, whatever the condition.
    #[inline(always)]
    fn is_plain_success(&self, _outcome: &O) -> bool {
        false
    }

    /// How the types, and the predicates, classify the outcome.
    fn classification(&mut self, outcome: &O, condition: &Condition) -> Classification;

    /// The text of the error, for events.
    fn text(&self, outcome: &O) -> impl Display;

    /// Discards an outcome that is retried. Returns the work that remains for the pause.
    ///
    /// The outcome is consumed, not only dropped: to rustc, a future that drops a value before an await still holds it, and is not
    /// `Send` if the value is not.
    fn discard(self, outcome: O, limits: DrainLimits) -> Self::Cleanup;
}
