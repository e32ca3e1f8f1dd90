//! Whether a running attempt can be cut off, and what it gives then.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::classify::timed_out::{FromTimedOut, TimedOut};
use crate::context::scope;
use crate::engine::attempt_future::AttemptFuture;
use crate::engine::call::Call;
use crate::engine::decide;
use crate::engine::executor::Executor;
#[cfg(any(feature = "tracing", feature = "connection-events"))]
use crate::engine::in_span::InSpan;
use crate::util::sleep::{Sleep, TimerSlot};

/// The timer that ends an attempt. It is separate from [`TimeLimit`] so that [`AttemptFuture`] is `Send` whatever the outcome borrows: to find
/// out, rustc gives each lifetime in the fields of a future a different name, and [`Limited<O>`] is a [`TimeLimit`] for the same `O` only.
pub trait LimitTimer<S: TimerSlot>: Sized {
    /// The place of the timer.
    #[doc(hidden)]
    type Timer;

    /// True if the deadline ends the attempt, and not only the retrying.
    #[doc(hidden)]
    const CUTS_OFF: bool = false;

    /// Dropped before the attempt.
    #[doc(hidden)]
    type Before: Default;

    /// Dropped after the attempt.
    #[doc(hidden)]
    type After: Default;

    /// The attempt has been cut off.
    #[doc(hidden)]
    #[inline(always)]
    fn mark(_: &mut Self::Before, _: &mut Self::After) {}

    #[doc(hidden)]
    fn timer(sleep: &S) -> Self::Timer;
}

/// Ends an attempt that takes too long, and whose outcome is an `O`; or never does.
pub trait TimeLimit<S: TimerSlot, O>: LimitTimer<S> {
    /// The attempt is about to start: gives its outcome if it is too late for that.
    #[doc(hidden)]
    #[inline(always)]
    fn before<C: Call>(&self, _: &Executor<C, S>) -> Option<O> {
        None
    }

    /// The attempt has to wait: gives its outcome if it is to wait no longer.
    #[doc(hidden)]
    #[inline(always)]
    fn poll<C: Call>(&self, _: Pin<&mut Self::Timer>, _: &mut Executor<C, S>, _: &mut Context<'_>) -> Poll<O> {
        Poll::Pending
    }

    /// An attempt of an annotated function.
    #[doc(hidden)]
    type Attempt<'e, C: Call + 'e, F: Future<Output = O>>: Future<Output = O>
    where
        S: 'e;

    #[doc(hidden)]
    fn attempt<C: Call, F: Future<Output = O>>(
        self,
        executor: &mut Executor<C, S>,
        future: F,
    ) -> Self::Attempt<'_, C, F>;
}

/// Nothing ends the attempt.
#[derive(Clone, Copy, Debug)]
pub struct Unlimited;

impl<S: TimerSlot> LimitTimer<S> for Unlimited {
    type Timer = ();
    type Before = ();
    type After = ();

    fn timer(_: &S) {}
}

impl<S: TimerSlot, O> TimeLimit<S, O> for Unlimited {
    /// As bare as can be: all that stands around it is paid for by calls that succeed.
    #[cfg(any(feature = "tracing", feature = "connection-events"))]
    type Attempt<'e, C: Call + 'e, F: Future<Output = O>>
        = InSpan<'e, C, F>
    where
        S: 'e;
    #[cfg(not(any(feature = "tracing", feature = "connection-events")))]
    type Attempt<'e, C: Call + 'e, F: Future<Output = O>>
        = F
    where
        S: 'e;

    #[inline(always)]
    fn attempt<C: Call, F: Future<Output = O>>(
        self,
        executor: &mut Executor<C, S>,
        future: F,
    ) -> <Self as TimeLimit<S, O>>::Attempt<'_, C, F> {
        executor.begin();
        #[cfg(any(feature = "tracing", feature = "connection-events"))]
        return InSpan::new(&executor.core, future);
        #[cfg(not(any(feature = "tracing", feature = "connection-events")))]
        future
    }
}

/// Nothing ends the attempt, but those inside are told of it.
#[derive(Clone, Copy, Debug)]
pub struct ScopedOnly;

impl<S: TimerSlot> LimitTimer<S> for ScopedOnly {
    type Timer = ();
    type Before = ();
    type After = ();

    fn timer(_: &S) {}
}

impl<S: TimerSlot, O> TimeLimit<S, O> for ScopedOnly {
    type Attempt<'e, C: Call + 'e, F: Future<Output = O>>
        = AttemptFuture<'e, C, S, F, Self>
    where
        S: 'e;

    #[inline]
    fn attempt<C: Call, F: Future<Output = O>>(
        self,
        executor: &mut Executor<C, S>,
        future: F,
    ) -> AttemptFuture<'_, C, S, F, Self> {
        AttemptFuture::new(executor, future, self)
    }
}

/// The deadline and the attempt timeout end the attempt.
// A pointer, for the bound that makes it is to be asked for in one place only: its error is the user's.
pub struct Limited<O>(fn(TimedOut) -> O);

/// Cuts off attempts whose outcome can be made from [`TimedOut`].
#[inline(always)]
pub fn limited<O: FromTimedOut>() -> Limited<O> {
    Limited(O::from_timed_out)
}

/// Dropped before an attempt. If the attempt was cut off, values inside find that out when they are dropped.
#[derive(Debug, Default)]
pub struct BeforeDrop {
    is_cut_off: bool,
}

impl Drop for BeforeDrop {
    #[inline]
    fn drop(&mut self) {
        if self.is_cut_off {
            scope::begin_cutting_off();
        }
    }
}

/// Dropped after an attempt.
#[derive(Debug, Default)]
pub struct AfterDrop {
    is_cut_off: bool,
}

impl Drop for AfterDrop {
    #[inline]
    fn drop(&mut self) {
        if self.is_cut_off {
            scope::end_cutting_off();
        }
    }
}

/// The limit that ends an attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LimitKind {
    AttemptTimeout,
    /// The call's own deadline.
    Deadline,
    /// That of a call around.
    OuterDeadline,
}

pin_project! {
    /// The time limit of an attempt: its timer is armed when the attempt first has to wait.
    #[derive(Debug)]
    pub struct Limit<T> {
        // The limit that the timer is armed for.
        ender: Option<LimitKind>,
        #[pin]
        timer: T,
    }
}

impl<S: Sleep, O> LimitTimer<S> for Limited<O> {
    type Timer = Limit<S::Timer>;
    type Before = BeforeDrop;
    type After = AfterDrop;

    const CUTS_OFF: bool = true;

    fn mark(before: &mut BeforeDrop, after: &mut AfterDrop) {
        (before.is_cut_off, after.is_cut_off) = (true, true);
    }

    fn timer(sleep: &S) -> Limit<S::Timer> {
        Limit { ender: None, timer: sleep.idle() }
    }
}

impl<S: Sleep, O> TimeLimit<S, O> for Limited<O> {
    type Attempt<'e, C: Call + 'e, F: Future<Output = O>>
        = AttemptFuture<'e, C, S, F, Self>
    where
        S: 'e;

    #[inline]
    fn before<C: Call>(&self, executor: &Executor<C, S>) -> Option<O> {
        executor.core.call.policy().deadline?;
        decide::too_late(&executor.core.state, &executor.core.call).map(self.0)
    }

    #[inline]
    fn poll<C: Call>(
        &self,
        timer: Pin<&mut Limit<S::Timer>>,
        executor: &mut Executor<C, S>,
        cx: &mut Context<'_>,
    ) -> Poll<O> {
        let Executor { core, sleep } = executor;
        if !core.call.policy().limits_attempts() {
            return Poll::Pending;
        }
        let limit = timer.project();
        decide::poll_limit(&mut core.state, &core.call, sleep, limit.timer, limit.ender, cx).map(self.0)
    }

    #[inline]
    fn attempt<C: Call, F: Future<Output = O>>(
        self,
        executor: &mut Executor<C, S>,
        future: F,
    ) -> AttemptFuture<'_, C, S, F, Self> {
        AttemptFuture::new(executor, future, self)
    }
}

impl<O> fmt::Debug for Limited<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CutOff")
    }
}
