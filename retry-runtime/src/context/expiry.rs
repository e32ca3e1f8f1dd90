//! The reason of a drop: a time limit, or anything else.
//!
//! An attempt that a time limit cuts off is dropped like any other future. When a value inside it is dropped, such as the
//! permit of a circuit breaker, the value checks here if a time limit is the reason.

use crate::context::thread::CONTEXT;

/// True while an attempt is dropped because a time limit cut it off.
pub(crate) fn is_expired() -> bool {
    CONTEXT.with(|context| context.expired.get() > 0)
}

/// Marks everything that is dropped on this thread as cut off by a time limit, until [`end`]. Calls may be nested.
pub(crate) fn begin() {
    CONTEXT.with(|context| context.expired.set(context.expired.get() + 1));
}

/// Ends the last [`begin`].
pub(crate) fn end() {
    CONTEXT.with(|context| context.expired.set(context.expired.get() - 1));
}

/// A guard that marks everything that is dropped on this thread as cut off by a time limit, until the guard is dropped
/// itself.
pub(crate) struct Expiring(());

impl Expiring {
    pub(crate) fn new() -> Self {
        begin();
        Self(())
    }
}

impl Drop for Expiring {
    fn drop(&mut self) {
        end();
    }
}
