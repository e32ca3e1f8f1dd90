//! Timers: tokio's, and a sleep function supplied by the user.
//!
//! This module, the files of the host, and the engine's call state, which stores the timer, are the only places that use tokio's
//! timer.

use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::util::clock::Instant;
use crate::util::host;
use crate::util::sealed::Sealed;

/// A source of timers for an executor. Sealed: implemented only by [`TokioSleep`] and [`CustomSleep`].
#[diagnostic::on_unimplemented(
    message = "no timer is available to wait between attempts",
    label = "needs the `tokio` feature or a sleep function",
    note = "enable the `tokio` feature of `retry-runtime`, or supply a function: `sleep = path::to::sleep` in the attribute, `.sleep(sleep)` on an `Executor` or after `Policy::run`"
)]
pub trait Sleep: TimerSlot<Separate: Future<Output = ()>> {
    /// Starts the timer, which ends `delay` from now.
    #[doc(hidden)]
    fn arm(&self, timer: Pin<&mut Self::Timer>, shared: &mut impl SharedTimer, delay: Duration);

    /// Starts the timer, which ends at this time.
    #[doc(hidden)]
    fn arm_until(&self, timer: Pin<&mut Self::Timer>, shared: &mut impl SharedTimer, end: Instant) {
        self.arm(timer, shared, end.saturating_duration_since(Instant::now()));
    }

    #[doc(hidden)]
    fn poll(&self, timer: Pin<&mut Self::Timer>, shared: &mut impl SharedTimer, cx: &mut Context<'_>) -> Poll<()>;

    /// True if the delay has elapsed although the poll of the timer that has just returned was pending.
    #[doc(hidden)]
    fn is_over(&self, _: &impl SharedTimer) -> bool {
        false
    }

    /// Starts a second timer, independent of the one that `arm` starts.
    #[doc(hidden)]
    fn separate(&self, delay: Duration) -> Self::Separate;

    /// True if the delay of a separate timer has elapsed although the poll of the timer that has just returned was pending.
    #[doc(hidden)]
    fn separate_is_over(_: &Self::Separate) -> bool {
        false
    }
}

/// The storage for a timer inside the future of a pause or an attempt. A trait separate from [`Sleep`], so that blocking
/// code needs no timer.
pub trait TimerSlot: Sealed {
    /// The timer, or storage for one.
    #[doc(hidden)]
    type Timer;

    /// A second timer, independent of the first.
    #[doc(hidden)]
    type Separate;

    #[doc(hidden)]
    fn idle(&self) -> Self::Timer;
}

/// The storage for tokio's timer, outside the future. A call stores the timer with its state: all its waits share one
/// allocation, and the future of a call that never waits does not grow by the size of a timer.
#[doc(hidden)]
pub trait SharedTimer {
    /// The timer. Allocates its storage on first use.
    fn timer(&mut self) -> Pin<&mut TokioTimer>;

    /// The timer, if its storage has been allocated.
    fn existing_timer(&self) -> Option<&TokioTimer>;
}

/// Tokio's timer; `None` until it is armed. A placeholder without the feature `tokio`.
pub(crate) type TokioTimer = Option<host::Timer>;

/// Tokio's timer, with millisecond resolution.
///
/// Waiting panics outside a tokio runtime, and in a runtime whose time driver is not enabled. Without the `tokio` feature
/// this type still exists, but does not implement [`Sleep`].
///
/// On wasm32-unknown-unknown, where tokio has no timer, it is JavaScript's `setTimeout`. That needs no runtime, and is `!Send`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioSleep;

impl Sealed for TokioSleep {}

impl TimerSlot for TokioSleep {
    type Timer = ();
    type Separate = host::Timer;

    #[inline(always)]
    fn idle(&self) {}
}

#[cfg(feature = "tokio")]
impl Sleep for TokioSleep {
    /// Creates a new timer in the same storage, instead of resetting the old one: tokio panics on a reset if the timer
    /// belongs to a runtime that has been shut down.
    #[inline(always)]
    fn arm(&self, _: Pin<&mut ()>, shared: &mut impl SharedTimer, delay: Duration) {
        shared.timer().set(Some(host::sleep(delay)));
    }

    /// Does not read the clock, which `sleep` would do only to compute the end again.
    #[inline(always)]
    fn arm_until(&self, _: Pin<&mut ()>, shared: &mut impl SharedTimer, end: Instant) {
        shared.timer().set(Some(host::sleep_until(end)));
    }

    #[inline(always)]
    fn poll(&self, _: Pin<&mut ()>, shared: &mut impl SharedTimer, cx: &mut Context<'_>) -> Poll<()> {
        shared.timer().as_pin_mut().map_or(Poll::Ready(()), |sleep| sleep.poll(cx))
    }

    #[inline(always)]
    fn is_over(&self, shared: &impl SharedTimer) -> bool {
        shared.existing_timer().and_then(Option::as_ref).is_some_and(host::has_passed_unnoticed)
    }

    fn separate(&self, delay: Duration) -> host::Timer {
        host::sleep(delay)
    }

    #[inline(always)]
    fn separate_is_over(timer: &host::Timer) -> bool {
        host::has_passed_unnoticed(timer)
    }
}

/// A sleep function `Fn(Duration) -> impl Future`, for async runtimes other than tokio. Each wait awaits one future that
/// it returns.
///
/// Set with [`Executor::sleep`](crate::Executor::sleep) or the attribute's `sleep = …`.
#[derive(Clone, Copy, Debug)]
pub struct CustomSleep<F>(pub(crate) F);

/// A function that sleeps: `Fn(Duration) -> impl Future<Output = ()>`.
// `Sleep` is an associated type, so that an argument that is not such a function causes only one compile error.
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

// `do_not_recommend` here and below: otherwise rustc reports that the bound `F: Fn(Duration) -> T` of this implementation
// is not met, instead of the message on the trait.
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
    /// Storage for the future that a sleep function returns.
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
    type Separate = T;

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

    fn separate(&self, delay: Duration) -> T {
        (self.0)(delay)
    }
}

/// [`SleepFunction`] for the attribute, with two implementations that differ in `Kind`. If neither of them fits, the
/// compiler does not know the associated type, so it cannot report a second error about it. With two candidates, the
/// compiler does not infer the parameter types of a closure: the attribute accepts no such closures, and
/// [`SleepFunction`], which does, has a single implementation.
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

/// The `Kind` of a sleep function.
#[derive(Clone, Copy, Debug)]
pub struct Function;
/// The `Kind` of a type that implements [`Sleep`] itself.
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
