//! What a call inside of an attempt knows of the attempt around it: until when there is time, whether it wants to know
//! that its failure was retried already, and whether it is being cut off.
//!
//! A cell of the thread is set while an attempt that has something to say is polled, and set back when the poll ends, however
//! it ends. So it belongs to the future, not to its task or thread: the branches of a `join!` do not see each other's, and a
//! task that is spawned sees none. Only failures look at it.

use core::cell::Cell;

use crate::sleep::Instant;

thread_local! {
    /// When the attempt around will be cut off.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
    /// Whether the last failure inside has had its retries.
    static SPENT: Cell<bool> = const { Cell::new(false) };
    /// Whether what is dropped now has run out of time.
    static CUT_OFF: Cell<bool> = const { Cell::new(false) };
}

/// When the attempt around this call will be cut off.
pub(crate) fn deadline() -> Option<Instant> {
    DEADLINE.get()
}

/// A call has failed, or is to be tried again: whether its failure has had its retries.
pub(crate) fn set_spent(spent: bool) {
    SPENT.set(spent);
}

/// Whether what is dropped now has run out of time.
pub(crate) fn is_cut_off() -> bool {
    CUT_OFF.get()
}

/// What is dropped has run out of time, until this is dropped.
pub(crate) struct CuttingOff(bool);

impl CuttingOff {
    pub(crate) fn new() -> Self {
        Self(CUT_OFF.replace(true))
    }
}

impl Drop for CuttingOff {
    fn drop(&mut self) {
        CUT_OFF.set(self.0);
    }
}

/// An attempt that will be cut off, until this is dropped.
pub(crate) struct Limited(Option<Instant>);

impl Limited {
    /// One inside never has more time than the one around it.
    pub(crate) fn new(deadline: Instant) -> Self {
        let outer = DEADLINE.get();
        DEADLINE.set(Some(outer.map_or(deadline, |outer| outer.min(deadline))));
        Self(outer)
    }
}

impl Drop for Limited {
    #[inline]
    fn drop(&mut self) {
        DEADLINE.set(self.0);
    }
}

/// An attempt that wants to know of failures inside that were retried already, until this is dropped. What the attempt around it
/// was told so far is kept.
pub(crate) struct Asking(bool);

impl Asking {
    /// Whether what failed inside so far is `spent`.
    #[inline(always)]
    pub(crate) fn new(spent: bool) -> Self {
        Self(SPENT.replace(spent))
    }

    /// Whether the last failure inside has had its retries.
    #[inline(always)]
    pub(crate) fn is_spent(&self) -> bool {
        SPENT.get()
    }
}

impl Drop for Asking {
    #[inline(always)]
    fn drop(&mut self) {
        SPENT.set(self.0);
    }
}
