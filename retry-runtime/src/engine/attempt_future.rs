//! The future of one attempt.

use core::fmt;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::engine::call::Call;
use crate::engine::core::Core;
use crate::engine::in_span::{InSpan, in_span};
use crate::engine::time_limit::{LimitTimer, Limited, ScopedOnly, TimeLimit, Unlimited};
use crate::util::sleep::{Sleep, TimerSlot};

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

/// How a time limit runs an attempt of an annotated function.
pub trait RunAttempt<S: TimerSlot, O>: TimeLimit<S, O> {
    /// The future of the attempt.
    type Attempt<'e, C: Call + 'e, F: Future<Output = O>>: Future<Output = O>
    where
        S: 'e;

    /// Starts the attempt, now or when the future is first polled.
    fn run<C: Call, F: Future<Output = O>>(self, core: &mut Core<C, S>, future: F) -> Self::Attempt<'_, C, F>;
}

impl<S: TimerSlot, O> RunAttempt<S, O> for Unlimited {
    /// As bare as can be, because every byte and every instruction around it is paid for by calls that succeed.
    type Attempt<'e, C: Call + 'e, F: Future<Output = O>>
        = InSpan<'e, C, F>
    where
        S: 'e;

    #[inline(always)]
    fn run<C: Call, F: Future<Output = O>>(self, core: &mut Core<C, S>, future: F) -> InSpan<'_, C, F> {
        core.begin();
        in_span(&core.active, future)
    }
}

/// The others wrap the attempt in an [`AttemptFuture`]. One implementation for every [`TimeLimit`] would overlap with that
/// for [`Unlimited`], so a macro writes them.
macro_rules! run_as_attempt_future {
    ($({$($parameter:tt)*} $limit:ty, $sleep:ident),*) => {$(
        impl<S: $sleep, $($parameter)*> RunAttempt<S, O> for $limit {
            type Attempt<'e, C: Call + 'e, F: Future<Output = O>>
                = AttemptFuture<'e, C, S, F, Self>
            where
                S: 'e;

            #[inline]
            fn run<C: Call, F: Future<Output = O>>(
                self,
                core: &mut Core<C, S>,
                future: F,
            ) -> AttemptFuture<'_, C, S, F, Self> {
                AttemptFuture::new(core, future, self)
            }
        }
    )*};
}
run_as_attempt_future!({O} ScopedOnly, TimerSlot, {O} Limited<O>, Sleep);
