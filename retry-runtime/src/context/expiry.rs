//! Whether what is being dropped has run out of time.
//!
//! An attempt that a time limit cuts off is dropped like any other future. Values inside it, such as the permit of a circuit breaker,
//! ask here whether they are dropped for that reason.

use crate::context::thread::CONTEXT;

/// True while an attempt is dropped because it has run out of time.
pub(crate) fn is_expired() -> bool {
    CONTEXT.with(|context| context.expired.get() > 0)
}

/// Marks everything that is dropped from now on as out of time, until [`end`].
pub(crate) fn begin() {
    CONTEXT.with(|context| context.expired.set(context.expired.get() + 1));
}

pub(crate) fn end() {
    CONTEXT.with(|context| context.expired.set(context.expired.get() - 1));
}

/// Marks everything that is dropped as out of time, until this is dropped.
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
