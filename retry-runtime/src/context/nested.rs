//! Exhausted nested retries: the flag is set if a call inside the attempt has already retried the failure that the
//! attempt returns.

use crate::context::thread::{CONTEXT, Context, Field, Scope};

/// Records that a call has failed, and if it has exhausted its retries.
pub(crate) fn set_exhausted(exhausted: bool) {
    CONTEXT.with(|context| context.nested_exhausted.set(exhausted));
}

/// A guard for an attempt that checks if calls inside it have exhausted their retries. When it is dropped, it restores
/// the flag of the attempt around it.
pub(crate) struct NestedScope(Scope<Exhausted>);

impl NestedScope {
    /// Sets the flag to its value at the end of the attempt's previous poll.
    #[inline(always)]
    pub(crate) fn new(exhausted: bool) -> Self {
        Self(Scope::new(exhausted))
    }

    /// Ends the scope. Returns true if the call inside that failed last has exhausted its retries.
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
