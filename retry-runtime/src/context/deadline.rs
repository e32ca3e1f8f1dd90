//! The deadline of the call around the current one.

use crate::context::thread::{CONTEXT, Context, Field, Scope};
use crate::context::values::Deadline;

/// The deadline of the attempt that is being polled.
pub(crate) fn current() -> Option<Deadline> {
    CONTEXT.with(|context| context.deadline.get())
}

/// True if a deadline around this call drops the call when the deadline passes.
pub(crate) fn cuts_off() -> bool {
    current().is_some_and(|deadline| deadline.cuts_off)
}

/// A guard that sets the deadline of a call while one of its attempts is polled.
pub(crate) struct DeadlineScope(#[allow(dead_code, reason = "restores on drop")] Scope<DeadlineField>);

impl DeadlineScope {
    /// Sets the earlier of `deadline` and the deadline around it: an inner call never has more time than the call around
    /// it.
    pub(crate) fn new(deadline: Deadline) -> Self {
        let outer = current().filter(|outer| outer.at <= deadline.at);
        Self(Scope::new(Some(outer.unwrap_or(deadline))))
    }
}

struct DeadlineField;

impl Field for DeadlineField {
    type Value = Option<Deadline>;

    #[inline(always)]
    fn replace(context: &Context, value: Self::Value) -> Self::Value {
        context.deadline.replace(value)
    }
}
