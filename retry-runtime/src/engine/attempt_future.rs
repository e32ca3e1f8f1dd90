//! The future of one attempt.

use core::fmt;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::engine::call::Call;
use crate::engine::core::Core;
use crate::engine::time_limit::{LimitTimer, TimeLimit};
use crate::util::sleep::TimerSlot;

pin_project! {
    /// The future of one attempt: runs it in its span and in its context, and cuts it off at its time limit. Made by
    /// [`Executor::attempt`](crate::Executor::attempt).
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the attempt.
    #[must_use = "an attempt does nothing unless it is awaited"]
    pub struct AttemptFuture<'e, C: Call, S: TimerSlot, F, K: LimitTimer<S>> {
        core: &'e mut Core<C, S>,
        limit: K,
        is_started: bool,
        // Fields are dropped in this order: a value that is dropped with the future can find out whether it was cut off.
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
    pub(crate) fn new(core: &'e mut Core<C, S>, future: F, limit: K) -> Self {
        let timer = K::timer(&core.sleep);
        let (before, after) = Default::default();
        Self { core, limit, is_started: false, before, future, after, timer }
    }
}

impl<C: Call, S: TimerSlot, F: Future, K: TimeLimit<S, F::Output>> Future for AttemptFuture<'_, C, S, F, K> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if !mem::replace(this.is_started, true) {
            this.core.begin();
            if let Some(outcome) = this.limit.before(this.core) {
                this.core.end();
                return Poll::Ready(outcome);
            }
        }
        let polled = match this.core.in_attempt(K::CUTS_OFF, || this.future.poll(cx)) {
            Poll::Pending => this.limit.poll(this.timer, this.core, cx).map(|outcome| {
                K::mark(this.before, this.after);
                outcome
            }),
            ready => ready,
        };
        if polled.is_ready() {
            this.core.end();
        }
        polled
    }
}

impl<C: Call, S: TimerSlot, F, K: LimitTimer<S>> fmt::Debug for AttemptFuture<'_, C, S, F, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttemptFuture")
    }
}
