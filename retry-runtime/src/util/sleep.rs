//! With `state.rs`, which keeps tokio's timer, the only file that knows a timer; and where an `Instant` comes from.

use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::engine::state::CallState;
use crate::util::sealed::Sealed;

#[cfg(feature = "tokio")]
use crate::util::clock::Instant;

/// What an executor sleeps with. Implemented by [`TokioSleep`] and [`CustomSleep`] alone.
#[diagnostic::on_unimplemented(
    message = "there is no timer to wait with",
    label = "neither the `tokio` feature nor a sleep of your own",
    note = "switch on the `tokio` feature of `retry-runtime`, or write `sleep = path::to::sleep` in the attribute and `.sleep(sleep)` by hand"
)]
pub trait Sleep: TimerSlot {
    /// Lets the timer end after `delay` from now.
    #[doc(hidden)]
    fn arm(&self, timer: Pin<&mut Self::Timer>, state: &mut CallState, delay: Duration);

    #[doc(hidden)]
    fn poll(&self, timer: Pin<&mut Self::Timer>, state: &mut CallState, cx: &mut Context<'_>) -> Poll<()>;

    /// Whether the time is over although the timer does not say so.
    #[doc(hidden)]
    fn is_over(&self, _: &CallState) -> bool {
        false
    }

    /// A timer of its own, beside that of `arm`.
    #[doc(hidden)]
    type Apart: Future<Output = ()>;

    #[doc(hidden)]
    fn apart(&self, delay: Duration) -> Self::Apart;

    /// True if the time of such a timer is over although the timer is not ready.
    #[doc(hidden)]
    fn apart_is_over(_: &Self::Apart) -> bool {
        false
    }
}

/// Where the timer of a pause or an attempt is kept. Apart from [`Sleep`], so that code which blocks needs no timer.
pub trait TimerSlot: Sealed {
    /// A timer, or a place for one.
    #[doc(hidden)]
    type Timer;

    #[doc(hidden)]
    fn idle(&self) -> Self::Timer;
}

/// Tokio's timer, with millisecond resolution. Waiting panics outside of a tokio runtime whose time is enabled.
///
/// Without the `tokio` feature it is only a name, and does not implement [`Sleep`].
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioSleep;

impl Sealed for TokioSleep {}

impl TimerSlot for TokioSleep {
    type Timer = ();

    #[inline(always)]
    fn idle(&self) {}
}

/// The timer is kept with what only a failing call needs, always in the same place.
#[cfg(feature = "tokio")]
impl Sleep for TokioSleep {
    #[inline(always)]
    fn arm(&self, _: Pin<&mut ()>, state: &mut CallState, delay: Duration) {
        state.arm(delay);
    }

    #[inline(always)]
    fn poll(&self, _: Pin<&mut ()>, state: &mut CallState, cx: &mut Context<'_>) -> Poll<()> {
        state.poll_timer(cx)
    }

    /// Tokio's timer is never ready once the attempt has used up what its task may do at a time.
    fn is_over(&self, state: &CallState) -> bool {
        state.timer_is_over()
    }

    type Apart = tokio::time::Sleep;

    fn apart(&self, delay: Duration) -> tokio::time::Sleep {
        tokio::time::sleep(delay)
    }

    /// As in [`is_over`](Sleep::is_over).
    fn apart_is_over(timer: &tokio::time::Sleep) -> bool {
        Instant::now() >= timer.deadline()
    }
}

/// A function `Fn(Duration) -> impl Future` for other async runtimes: each wait is a future that it makes.
///
/// Given with [`Executor::sleep`](crate::Executor::sleep) and the attribute's `sleep = …`.
#[derive(Clone, Copy, Debug)]
pub struct CustomSleep<F>(pub(crate) F);

/// A function to sleep with: `Fn(Duration) -> impl Future<Output = ()>`.
// What it makes is an associated type, for the error of what is no such function to be the only one.
#[diagnostic::on_unimplemented(
    message = "expected a function that returns a future, such as `tokio::time::sleep`",
    label = "not a `fn(Duration) -> impl Future<Output = ()>`"
)]
pub trait SleepFunction {
    #[doc(hidden)]
    type Sleep: Sleep;

    #[doc(hidden)]
    fn sleep(self) -> Self::Sleep;
}

#[diagnostic::do_not_recommend]
impl<F, T> SleepFunction for F
where
    F: Fn(Duration) -> T,
    T: Future<Output = ()>,
{
    type Sleep = CustomSleep<F>;

    fn sleep(self) -> CustomSleep<F> {
        CustomSleep(self)
    }
}

pin_project! {
    /// A place for the future that is slept with.
    #[derive(Debug)]
    pub struct CustomTimer<T> {
        #[pin]
        sleep: Option<T>,
    }
}

impl<F> Sealed for CustomSleep<F> {}

impl<F, T> TimerSlot for CustomSleep<F>
where
    F: Fn(Duration) -> T,
    T: Future<Output = ()>,
{
    type Timer = CustomTimer<T>;

    fn idle(&self) -> CustomTimer<T> {
        CustomTimer { sleep: None }
    }
}

impl<F, T> Sleep for CustomSleep<F>
where
    F: Fn(Duration) -> T,
    T: Future<Output = ()>,
{
    fn arm(&self, timer: Pin<&mut CustomTimer<T>>, _: &mut CallState, delay: Duration) {
        timer.project().sleep.set(Some((self.0)(delay)));
    }

    fn poll(&self, timer: Pin<&mut CustomTimer<T>>, _: &mut CallState, cx: &mut Context<'_>) -> Poll<()> {
        timer.project().sleep.as_pin_mut().map_or(Poll::Ready(()), |sleep| sleep.poll(cx))
    }

    type Apart = T;

    fn apart(&self, delay: Duration) -> T {
        (self.0)(delay)
    }
}
