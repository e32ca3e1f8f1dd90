//! The circuit breakers for which the attempt that is being polled, or an attempt around it, is the probe.

use core::mem;
use core::num::NonZeroUsize;

use crate::context::thread::CONTEXT;

/// True inside the probe of this breaker.
pub(crate) fn is_in_probe_of(breaker: NonZeroUsize) -> bool {
    with(|probes| probes.contains(&breaker))
}

/// Records that the current attempt has become the probe of this breaker. Its [`ProbeScope`] removes the record when the
/// poll ends.
pub(crate) fn begin_probe_of(breaker: NonZeroUsize) {
    with(|probes| probes.push(breaker));
}

/// A guard for an attempt that may be the probe of a breaker.
pub(crate) struct ProbeScope {
    /// The number of probes around it.
    around: usize,
}

impl ProbeScope {
    /// Starts a poll of the attempt. `breaker` is the one whose probe the attempt has become in an earlier poll, if any.
    #[inline]
    pub(crate) fn new(breaker: Option<NonZeroUsize>) -> Self {
        with(|probes| {
            let around = probes.len();
            probes.extend(breaker);
            Self { around }
        })
    }

    /// Ends the poll. Returns the breaker whose probe the attempt is.
    #[inline]
    pub(crate) fn leave(self) -> Option<NonZeroUsize> {
        let breaker = self.end();
        mem::forget(self);
        breaker
    }

    #[inline]
    fn end(&self) -> Option<NonZeroUsize> {
        with(|probes| {
            // None have been added to an empty list, so nothing is to be freed.
            let breaker = probes.get(self.around).copied()?;
            probes.truncate(self.around);
            if self.around == 0 {
                // Frees the memory here, because the context has no destructor.
                *probes = Vec::new();
            }
            Some(breaker)
        })
    }
}

impl Drop for ProbeScope {
    #[inline]
    fn drop(&mut self) {
        self.end();
    }
}

#[inline]
fn with<T>(work: impl FnOnce(&mut Vec<NonZeroUsize>) -> T) -> T {
    CONTEXT.with(|context| work(&mut context.probes.borrow_mut()))
}
