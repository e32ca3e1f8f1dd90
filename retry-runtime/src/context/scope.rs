//! What a call inside of an attempt knows of the attempt around it: until when there is time, whether it wants to know
//! that its failure was retried already, whether it is being cut off, and whether it is the probe of a breaker.
//!
//! A cell of the thread is set while an attempt that has something to say is polled, and set back when the poll ends, however
//! it ends. So it belongs to the future, not to its task or thread: the branches of a `join!` do not see each other's. A task
//! that is spawned sees none, unless the attempt itself polls the task: a `LocalSet` or a `FuturesUnordered` that is driven inside
//! of the attempt does that. Only failures look at it.

use core::cell::{Cell, RefCell};
use core::num::NonZeroUsize;
use core::time::Duration;

use crate::util::clock::Instant;

thread_local! {
    /// The deadline of the attempt around.
    static DEADLINE: Cell<Option<Deadline>> = const { Cell::new(None) };
    /// Whether the last failure inside has had its retries.
    static SPENT: Cell<bool> = const { Cell::new(false) };
    /// The number of attempts, one in the other, that are dropped now because they have run out of time.
    static CUT_OFF: Cell<u32> = const { Cell::new(0) };
    /// The breakers whose probes are polled now: the attempt, and those around it.
    static PROBED: RefCell<Vec<NonZeroUsize>> = const { RefCell::new(Vec::new()) };
}

/// The deadline of a call, as calls inside its attempts see it.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    /// The policy's value, for the error that names it.
    pub(crate) length: Duration,
    /// True if it cuts the attempt off, and not only ends the retrying.
    pub(crate) cuts_off: bool,
}

/// Until when there is time for this call.
pub(crate) fn deadline() -> Option<Instant> {
    DEADLINE.get().map(|deadline| deadline.at)
}

/// The length of the deadline that gives the least time.
pub(crate) fn deadline_length() -> Option<Duration> {
    DEADLINE.get().map(|deadline| deadline.length)
}

/// True if a deadline drops this call when the time is over.
pub(crate) fn deadline_cuts_off() -> bool {
    DEADLINE.get().is_some_and(|deadline| deadline.cuts_off)
}

/// A call has failed, or is to be tried again: whether its failure has had its retries.
pub(crate) fn set_nested_exhausted(nested_exhausted: bool) {
    SPENT.set(nested_exhausted);
}

/// Whether what is dropped now has run out of time.
pub(crate) fn is_cut_off() -> bool {
    CUT_OFF.get() > 0
}

/// Marks everything that is dropped from now on as out of time, until [`end_cutting_off`].
pub(crate) fn begin_cutting_off() {
    CUT_OFF.set(CUT_OFF.get() + 1);
}

pub(crate) fn end_cutting_off() {
    CUT_OFF.set(CUT_OFF.get() - 1);
}

/// What is dropped has run out of time, until this is dropped.
pub(crate) struct CuttingOff(());

impl CuttingOff {
    pub(crate) fn new() -> Self {
        begin_cutting_off();
        Self(())
    }
}

impl Drop for CuttingOff {
    fn drop(&mut self) {
        end_cutting_off();
    }
}

/// True inside this breaker's probe.
pub(crate) fn is_in_probe_of(breaker: NonZeroUsize) -> bool {
    with_probed(|probed| probed.contains(&breaker))
}

/// The attempt that is polled, in a [`Probing`], has become the probe of this breaker.
pub(crate) fn begin_probe_of(breaker: NonZeroUsize) {
    with_probed(|probed| probed.push(breaker));
}

/// An attempt that may be the probe of a breaker, until this is dropped.
pub(crate) struct Probing {
    /// The number of probes around it.
    around: usize,
}

impl Probing {
    /// With the breaker whose probe the attempt has become in an earlier poll.
    #[inline]
    pub(crate) fn new(breaker: Option<NonZeroUsize>) -> Self {
        with_probed(|probed| {
            let around = probed.len();
            probed.extend(breaker);
            Self { around }
        })
    }

    /// The breaker whose probe the attempt is.
    #[inline]
    pub(crate) fn breaker(&self) -> Option<NonZeroUsize> {
        with_probed(|probed| probed.get(self.around).copied())
    }
}

impl Drop for Probing {
    #[inline]
    fn drop(&mut self) {
        with_probed(|probed| probed.truncate(self.around));
    }
}

/// A thread that ends has no cell any more, and no probes.
#[inline]
fn with_probed<T>(work: impl Fn(&mut Vec<NonZeroUsize>) -> T) -> T {
    PROBED.try_with(|probed| work(&mut probed.borrow_mut())).unwrap_or_else(|_| work(&mut Vec::new()))
}

/// An attempt of a call with a deadline, until this is dropped.
pub(crate) struct DeadlineScope(Option<Deadline>);

impl DeadlineScope {
    /// One inside never has more time than the one around it.
    pub(crate) fn new(deadline: Deadline) -> Self {
        let outer = DEADLINE.get();
        DEADLINE.set(Some(outer.filter(|outer| outer.at <= deadline.at).unwrap_or(deadline)));
        Self(outer)
    }
}

impl Drop for DeadlineScope {
    #[inline]
    fn drop(&mut self) {
        DEADLINE.set(self.0);
    }
}

/// An attempt that wants to know of failures inside that were retried already, until this is dropped. What the attempt around it
/// was told so far is kept.
pub(crate) struct NestedScope(bool);

impl NestedScope {
    /// Whether what failed inside so far is `nested_exhausted`.
    #[inline(always)]
    pub(crate) fn new(nested_exhausted: bool) -> Self {
        Self(SPENT.replace(nested_exhausted))
    }

    /// Whether the last failure inside has had its retries.
    #[inline(always)]
    pub(crate) fn is_nested_exhausted(&self) -> bool {
        SPENT.get()
    }
}

impl Drop for NestedScope {
    #[inline(always)]
    fn drop(&mut self) {
        SPENT.set(self.0);
    }
}
