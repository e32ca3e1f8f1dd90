//! An attempt as it is polled where somebody listens.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::engine::call::Call;
use crate::engine::executor::Core;

pin_project! {
    /// A future that runs in the span of the attempt, if there is one, and says what happens on the wire meanwhile. The span
    /// is kept with all else that is rare, so that the drop of this has nothing to look at.
    pub struct InSpan<'e, C: Call, F> {
        core: &'e Core<C>,
        #[pin]
        future: F,
    }
}

impl<'e, C: Call, F> InSpan<'e, C, F> {
    #[inline(always)]
    pub(crate) fn new(core: &'e Core<C>, future: F) -> Self {
        Self { core, future }
    }
}

impl<C: Call, F: Future> Future for InSpan<'_, C, F> {
    type Output = F::Output;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polled = {
            let _entered = this.core.state.enter();
            this.future.poll(cx)
        };
        this.core.tell();
        polled
    }
}

impl<C: Call, F> fmt::Debug for InSpan<'_, C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InSpan")
    }
}
