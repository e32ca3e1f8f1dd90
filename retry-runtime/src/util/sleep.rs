//! Timers: tokio's, and a sleep function of the user's.

use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

#[cfg(feature = "tokio")]
use crate::util::clock::Instant;
use crate::util::sealed::Sealed;

/// How an executor waits. Implemented by [`TokioSleep`] and [`CustomSleep`] only.
#[diagnostic::on_unimplemented(
    message = "there is no timer to wait with",
    label = "neither the `tokio` feature nor a sleep of your own",
    note = "switch on the `tokio` feature of `retry-runtime`, or write `sleep = path::to::sleep` in the attribute and `.sleep(sleep)` by hand"
)]
pub trait Sleep: TimerSlot {
    /// Starts the timer: it ends after `delay` from now.
    #[doc(hidden)]
    fn arm(&self, timer: Pin<&mut Self::Timer>, shared: &mut impl SharedTimer, delay: Duration);

    #[doc(hidden)]
    fn poll(&self, timer: Pin<&mut Self::Timer>, shared: &mut impl SharedTimer, cx: &mut Context<'_>) -> Poll<()>;

    /// True if the time is over although the timer is not ready.
    #[doc(hidden)]
    fn is_over(&self, _: &impl SharedTimer) -> bool {
        false
    }

    /// A timer beside that of `arm`.
    #[doc(hidden)]
    type Separate: Future<Output = ()>;

    #[doc(hidden)]
    fn separate(&self, delay: Duration) -> Self::Separate;

    /// True if the time of a separate timer is over although it is not ready.
    #[doc(hidden)]
    fn separate_is_over(_: &Self::Separate) -> bool {
        false
    }
}

/// The place of a timer in the future of a pause or an attempt. Separate from [`Sleep`], so that blocking code needs no timer.
pub trait TimerSlot: Sealed {
    /// The timer, or a place for one.
    #[doc(hidden)]
    type Timer;

    #[doc(hidden)]
    fn idle(&self) -> Self::Timer;
}

/// The place of tokio's timer, outside the future: a call keeps it with its state, so that all its waits share one allocation, and
/// the timer takes no room in the future of a call that never waits.
#[doc(hidden)]
pub trait SharedTimer {
    /// The timer. Allocates its place if there is none yet.
    fn timer(&mut self) -> Pin<&mut TokioTimer>;

    /// The timer, if its place exists.
    fn existing_timer(&self) -> Option<&TokioTimer>;
}

/// Tokio's timer, once it has been armed.
#[cfg(feature = "tokio")]
pub(crate) type TokioTimer = Option<tokio::time::Sleep>;
/// Without the feature `tokio` there is no timer.
#[cfg(not(feature = "tokio"))]
#[allow(unreachable_pub, reason = "reachable with the feature `tokio` only")]
pub type TokioTimer = ();

/// Tokio's timer, with millisecond resolution. Waiting panics outside a tokio runtime whose time is enabled.
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

#[cfg(feature = "tokio")]
impl Sleep for TokioSleep {
    /// Makes a new timer in the same place. An old one cannot be reset: if it belongs to a runtime that has been shut down, tokio
    /// panics.
    #[inline(always)]
    fn arm(&self, _: Pin<&mut ()>, shared: &mut impl SharedTimer, delay: Duration) {
        shared.timer().set(Some(tokio::time::sleep(delay)));
    }

    #[inline(always)]
    fn poll(&self, _: Pin<&mut ()>, shared: &mut impl SharedTimer, cx: &mut Context<'_>) -> Poll<()> {
        shared.timer().as_pin_mut().map_or(Poll::Ready(()), |sleep| sleep.poll(cx))
    }

    /// Tokio's timer is never ready once the attempt has used up the budget that its task has for one poll.
    fn is_over(&self, shared: &impl SharedTimer) -> bool {
        let timer = shared.existing_timer().and_then(Option::as_ref);
        timer.is_some_and(|sleep| Instant::now() >= sleep.deadline())
    }

    type Separate = tokio::time::Sleep;

    fn separate(&self, delay: Duration) -> tokio::time::Sleep {
        tokio::time::sleep(delay)
    }

    /// As in [`is_over`](Sleep::is_over).
    fn separate_is_over(timer: &tokio::time::Sleep) -> bool {
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
    fn arm(&self, timer: Pin<&mut CustomTimer<T>>, _: &mut impl SharedTimer, delay: Duration) {
        timer.project().sleep.set(Some((self.0)(delay)));
    }

    fn poll(&self, timer: Pin<&mut CustomTimer<T>>, _: &mut impl SharedTimer, cx: &mut Context<'_>) -> Poll<()> {
        timer.project().sleep.as_pin_mut().map_or(Poll::Ready(()), |sleep| sleep.poll(cx))
    }

    type Separate = T;

    fn separate(&self, delay: Duration) -> T {
        (self.0)(delay)
    }
}

/// [`SleepFunction`] for the attribute. The compiler has to choose between two implementations: where
/// neither fits, it does not know the associated type, and reports no second error about it. A closure without types, which
/// the attribute does not take, would need a single implementation.
#[diagnostic::on_unimplemented(
    message = "expected a function that returns a future, such as `tokio::time::sleep`",
    label = "not a `fn(Duration) -> impl Future<Output = ()>`",
    note = "a function that blocks its thread, such as `std::thread::sleep`, is for a blocking function: write `blocking` and remove `async`"
)]
pub trait AsyncSleep<Kind> {
    #[doc(hidden)]
    type Sleep: Sleep;

    #[doc(hidden)]
    fn sleep(self) -> Self::Sleep;
}

#[derive(Clone, Copy, Debug)]
pub struct Function;
#[derive(Clone, Copy, Debug)]
pub struct Already;

#[diagnostic::do_not_recommend]
impl<F, T> AsyncSleep<Function> for F
where
    F: Fn(Duration) -> T,
    T: Future<Output = ()>,
{
    type Sleep = CustomSleep<F>;
    fn sleep(self) -> CustomSleep<F> {
        CustomSleep(self)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Sleep + Sealed> AsyncSleep<Already> for S {
    type Sleep = S;
    fn sleep(self) -> S {
        self
    }
}
