//! One attempt while it runs.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::engine::call::Call;
use crate::engine::executor::Executor;
use crate::engine::time_limit::{LimitTimer, TimeLimit};
use crate::util::sleep::TimerSlot;

pin_project! {
    /// The future of one attempt: runs it in its span and cuts it off. Made by [`Executor::attempt`].
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the attempt.
    #[must_use = "an attempt does nothing unless it is awaited"]
    pub struct AttemptFuture<'e, C: Call, S: TimerSlot, F, K: LimitTimer<S>> {
        executor: &'e mut Executor<C, S>,
        cut: K,
        is_started: bool,
        // Fields are dropped in this order: what is dropped with the future finds out whether it was cut off.
        before: K::Before,
        #[pin]
        future: F,
        after: K::After,
        #[pin]
        timer: K::Timer,
    }
}

impl<'e, C: Call, S: TimerSlot, F, K: LimitTimer<S>> AttemptFuture<'e, C, S, F, K> {
    #[inline(always)]
    pub(crate) fn new(executor: &'e mut Executor<C, S>, future: F, cut: K) -> Self {
        let timer = K::timer(&executor.sleep);
        let (before, after) = Default::default();
        Self { executor, cut, is_started: false, before, future, after, timer }
    }
}

impl<C: Call, S: TimerSlot, F: Future, K: TimeLimit<S, F::Output>> Future for AttemptFuture<'_, C, S, F, K> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if !core::mem::replace(this.is_started, true) {
            this.executor.begin();
            if let Some(outcome) = this.cut.before(this.executor) {
                this.executor.end();
                return Poll::Ready(outcome);
            }
        }
        let polled = this.executor.in_scope(K::CUTS_OFF, |_rare| {
            #[cfg(any(feature = "tracing", feature = "connection-events"))]
            let _entered = _rare.enter();
            this.future.poll(cx)
        });
        this.executor.core.tell();
        let polled = match polled {
            Poll::Pending => this.cut.poll(this.timer, this.executor, cx).map(|outcome| {
                K::mark(this.before, this.after);
                outcome
            }),
            ready => ready,
        };
        if polled.is_ready() {
            this.executor.end();
        }
        polled
    }
}

impl<C: Call, S: TimerSlot, F, K: LimitTimer<S>> fmt::Debug for AttemptFuture<'_, C, S, F, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running")
    }
}
