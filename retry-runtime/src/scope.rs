//! What a call inside of an attempt knows of the attempt around it: until when there is time, and whether it wants to know
//! that its failure was retried already.
//!
//! A cell of the thread is set while an attempt that has something to say is polled, and set back when the poll ends, however
//! it ends. So it belongs to the future, not to its task or thread: the branches of a `join!` do not see each other's, and a
//! task that is spawned sees none. Only failures look at it.

use core::cell::Cell;

use crate::sleep::Instant;

/// What is said to those inside.
#[derive(Clone, Copy)]
struct Scope {
    /// When the attempt around will be cut off.
    deadline: Option<Instant>,
    /// Whether the last failure inside has had its retries.
    spent: bool,
}

thread_local! {
    static SCOPE: Cell<Scope> = const { Cell::new(Scope { deadline: None, spent: false }) };
}

/// When the attempt around this call will be cut off.
pub(crate) fn deadline() -> Option<Instant> {
    SCOPE.get().deadline
}

/// A call has failed, or is to be tried again: whether its failure has had its retries.
pub(crate) fn set_spent(spent: bool) {
    SCOPE.set(Scope { spent, ..SCOPE.get() });
}

/// The scope of an attempt, until it is left or dropped.
pub(crate) struct Entered {
    outer: Scope,
    /// Whether the attempt wants to know of failures that were retried already; otherwise they are for the one around it.
    asks: bool,
}

impl Entered {
    /// An attempt that will be cut off at `deadline`. Of one that `asks`, whether what failed inside so far is `spent`.
    #[inline]
    pub(crate) fn new(deadline: Option<Instant>, asks: bool, spent: bool) -> Self {
        let outer = SCOPE.get();
        // One inside never has more time than the one around it.
        let deadline = deadline.into_iter().chain(outer.deadline).min();
        SCOPE.set(Scope { deadline, spent: if asks { spent } else { outer.spent } });
        Self { outer, asks }
    }

    /// Leaves it: whether the last failure inside has had its retries, for one that asks.
    #[inline]
    pub(crate) fn leave(self) -> bool {
        self.asks && SCOPE.get().spent
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        let spent = if self.asks { self.outer.spent } else { SCOPE.get().spent };
        SCOPE.set(Scope { spent, ..self.outer });
    }
}
