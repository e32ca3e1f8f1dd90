//! An attempt in its span.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::rare::Rare;

pin_project! {
    /// A future that runs in the span of the attempt, if there is one. The span is kept with all else that is rare, so
    /// that the drop of this has nothing to look at.
    pub struct InSpan<'e, F> {
        rare: &'e Rare,
        #[pin]
        future: F,
    }
}

impl<'e, F> InSpan<'e, F> {
    #[inline(always)]
    pub(crate) fn new(rare: &'e Rare, future: F) -> Self {
        Self { rare, future }
    }
}

impl<F: Future> Future for InSpan<'_, F> {
    type Output = F::Output;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.rare.enter();
        this.future.poll(cx)
    }
}

impl<F> fmt::Debug for InSpan<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InSpan")
    }
}
