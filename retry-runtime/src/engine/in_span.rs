//! The future of an attempt without a time limit.

use core::fmt;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::engine::call::Call;
use crate::engine::core::ActiveCall;
use crate::engine::state::EnteredAttempt;

pin_project! {
    /// A future that runs in the span of the attempt, if there is one, and emits the connection events of each poll. The span is kept
    /// with the state of the call, so that the drop of this future has nothing to look at.
    pub struct InSpan<'e, C: Call, F> {
        active: &'e ActiveCall<C>,
        #[pin]
        future: F,
    }
}

#[inline(always)]
pub(crate) fn in_span<C: Call, F: Future>(active: &ActiveCall<C>, future: F) -> InSpan<'_, C, F> {
    InSpan { active, future }
}

/// An attempt that has begun, in its span, while its future is created.
pub struct Begun<'e, C: Call> {
    active: &'e ActiveCall<C>,
    entered: Option<EnteredAttempt<'e>>,
}

impl<'e, C: Call> Begun<'e, C> {
    #[inline(always)]
    pub(crate) fn new(active: &'e ActiveCall<C>) -> Self {
        Self { active, entered: active.state.enter() }
    }

    /// Leaves the span, and runs the attempt.
    #[inline(always)]
    pub fn run<F: IntoFuture>(self, future: F) -> InSpan<'e, C, F::IntoFuture> {
        // If the end of the span could drop the future, which only a subscriber that panics there would need, the future would be built
        // elsewhere and then copied, at each level of nested calls. Such a panic leaks it instead.
        let future = ManuallyDrop::new(future.into_future());
        drop(self.entered);
        in_span(self.active, ManuallyDrop::into_inner(future))
    }
}

impl<C: Call, F: Future> Future for InSpan<'_, C, F> {
    type Output = F::Output;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // The body is polled in a single place, with or without a span. A second place for calls without a span would
        // save the check, but would cost more than that.
        let polled = {
            let _entered = this.active.state.enter();
            this.future.poll(cx)
        };
        this.active.flush_connection_events();
        polled
    }
}

impl<C: Call, F> fmt::Debug for InSpan<'_, C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InSpan")
    }
}

impl<C: Call> fmt::Debug for Begun<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begun")
    }
}
