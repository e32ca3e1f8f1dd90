//! The deadline around the current call: that of a call around it, or that of the caller outside this process.

use core::time::Duration;

use crate::context::thread::{CONTEXT, Context};
use crate::context::values::{OuterDeadline, TimeLimit};
use crate::util::clock::Instant;

/// The deadline that ends first around the code that is being polled.
#[inline]
pub(crate) fn current() -> Option<OuterDeadline> {
    if exists() { earliest() } else { None }
}

#[cold]
#[inline(never)]
fn earliest() -> Option<OuterDeadline> {
    CONTEXT.with(|context| {
        let limit = context.limit.get()?;
        limit.deadline(context.caller.get().is_some_and(|caller| caller.is_foreign && !limit.ends_before(caller)))
    })
}

/// True if there is a deadline around the code that is being polled.
#[inline]
pub(crate) fn exists() -> bool {
    CONTEXT.with(|context| context.limit.get().is_some())
}

/// True if a deadline around this call drops the call when the deadline passes.
pub(crate) fn cuts_off() -> bool {
    current().is_some_and(|deadline| deadline.cuts_off)
}

/// A guard that sets the deadline of a call while one of its attempts is polled.
// Not a `Scope`, which would copy the whole field twice in each poll, although most calls have no deadline around them.
pub(crate) struct DeadlineScope {
    outer: Option<TimeLimit>,
}

impl DeadlineScope {
    /// Sets the earlier of this deadline and the deadline around it: an inner call never has more time than the call around
    /// it. `started` is the time when the call started.
    #[inline(always)]
    pub(crate) fn new(started: Instant, length: Duration, cuts_off: bool) -> Self {
        CONTEXT.with(|context| {
            if context.limit.get().is_some() {
                return Self::within_another(context, started, length, cuts_off);
            }
            context.limit.set(Some(TimeLimit { started, length, cuts_off, is_foreign: false }));
            Self { outer: None }
        })
    }

    // Takes the parts of the limit: a reference to the whole would keep it in memory.
    #[cold]
    #[inline(never)]
    fn within_another(context: &Context, started: Instant, length: Duration, cuts_off: bool) -> Self {
        let limit = TimeLimit { started, length, cuts_off, is_foreign: false };
        let outer = context.limit.get();
        if outer.is_none_or(|outer| limit.ends_before(outer)) {
            context.limit.set(Some(limit));
        } else if cuts_off && context.caller.get().is_some() {
            // A caller's deadline cuts nothing off by itself, but a call that cuts its attempts off does so at that deadline too.
            context.limit.set(outer.map(|outer| TimeLimit { cuts_off, ..outer }));
        }
        Self { outer }
    }
}

impl Drop for DeadlineScope {
    #[inline]
    fn drop(&mut self) {
        match &self.outer {
            None => CONTEXT.with(|context| context.limit.set(None)),
            Some(outer) => restore(*outer),
        }
    }
}

#[cold]
#[inline(never)]
fn restore(outer: TimeLimit) {
    CONTEXT.with(|context| context.limit.set(Some(outer)));
}
