//! The circuit breakers whose probes are polled now: the attempt, and those around it.

use core::num::NonZeroUsize;

use crate::context::thread::CONTEXT;

/// True inside this breaker's probe.
pub(crate) fn is_in_probe_of(breaker: NonZeroUsize) -> bool {
    with(|probes| probes.contains(&breaker))
}

/// The attempt that is polled, in a [`ProbeScope`], has become the probe of this breaker.
pub(crate) fn begin_probe_of(breaker: NonZeroUsize) {
    with(|probes| probes.push(breaker));
}

/// An attempt that may be the probe of a breaker, until this is dropped.
pub(crate) struct ProbeScope {
    /// The number of probes around it.
    around: usize,
}

impl ProbeScope {
    /// With the breaker whose probe the attempt has become in an earlier poll.
    #[inline]
    pub(crate) fn new(breaker: Option<NonZeroUsize>) -> Self {
        with(|probes| {
            let around = probes.len();
            probes.extend(breaker);
            Self { around }
        })
    }

    /// The breaker whose probe the attempt is.
    #[inline]
    pub(crate) fn breaker(&self) -> Option<NonZeroUsize> {
        with(|probes| probes.get(self.around).copied())
    }
}

impl Drop for ProbeScope {
    #[inline]
    fn drop(&mut self) {
        with(|probes| {
            probes.truncate(self.around);
            if self.around == 0 {
                // Frees the memory, because the context has no destructor that would.
                *probes = Vec::new();
            }
        });
    }
}

#[inline]
fn with<T>(work: impl FnOnce(&mut Vec<NonZeroUsize>) -> T) -> T {
    CONTEXT.with(|context| work(&mut context.probes.borrow_mut()))
}
