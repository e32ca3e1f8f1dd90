//! Attempts that may be a breaker's probe. Calls inside the probe find out that they are, because the breaker admits them.

use core::fmt;
use core::num::NonZeroUsize;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::context::probes::ProbeScope;

pin_project! {
    /// An attempt that may be the probe of a half-open breaker. It may become the probe while it is polled.
    pub struct MaybeProbe<F> {
        // The address of the breaker, if the attempt is the breaker's probe.
        breaker: Option<NonZeroUsize>,
        #[pin]
        attempt: F,
    }
}

impl<F> MaybeProbe<F> {
    #[inline]
    pub(super) const fn new(breaker: Option<NonZeroUsize>, attempt: F) -> Self {
        Self { breaker, attempt }
    }
}

/// An attempt that asks the breaker itself while it runs.
#[inline]
pub const fn maybe_probe<F>(attempt: F) -> MaybeProbe<F> {
    MaybeProbe::new(None, attempt)
}

/// [`maybe_probe`] for an attempt that blocks.
#[inline]
pub fn maybe_probe_blocking<O>(attempt: impl FnOnce() -> O) -> impl FnOnce() -> O {
    || {
        let _probing = ProbeScope::new(None);
        attempt()
    }
}

impl<F: Future> Future for MaybeProbe<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let probing = ProbeScope::new(*this.breaker);
        let polled = this.attempt.poll(cx);
        *this.breaker = probing.leave();
        polled
    }
}

impl<F> fmt::Debug for MaybeProbe<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaybeProbe")
    }
}
