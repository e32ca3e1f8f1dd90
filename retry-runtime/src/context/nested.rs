//! Whether a call inside has already exhausted its retries for the failure that the attempt reports.

use crate::context::thread::{CONTEXT, Context, Field, Scope};

/// Notes that a call has failed: with its retries exhausted, or not.
pub(crate) fn set_exhausted(exhausted: bool) {
    CONTEXT.with(|context| context.nested_exhausted.set(exhausted));
}

/// An attempt that asks whether calls inside have exhausted their retries, until this is dropped. What the calls around have noted so
/// far is kept.
pub(crate) struct NestedScope(Scope<Exhausted>);

impl NestedScope {
    /// Starts with what was noted in earlier polls of the attempt.
    #[inline(always)]
    pub(crate) fn new(exhausted: bool) -> Self {
        Self(Scope::new(exhausted))
    }

    /// Ends the scope: true if the last failure inside has exhausted its retries.
    #[inline(always)]
    pub(crate) fn leave(self) -> bool {
        self.0.leave()
    }
}

struct Exhausted;

impl Field for Exhausted {
    type Value = bool;

    #[inline(always)]
    fn replace(context: &Context, value: bool) -> bool {
        context.nested_exhausted.replace(value)
    }
}
