//! The clock, the timer and the random source on wasm32-unknown-unknown: JavaScript's. Tokio's clock panics there, and its timer
//! with it.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::time::SystemTime;

use gloo_timers::future::TimeoutFuture;

pub(crate) use web_time::Instant;
pub(crate) use web_time::Instant as StdInstant;

/// The instant for users, which is not the standard library's: that has no clock here.
pub(crate) fn into_std(instant: Instant) -> StdInstant {
    instant
}

/// The time of day, or `None` if the host has none.
#[allow(clippy::unnecessary_wraps, dead_code, reason = "another host has no time; unused with some sets of features")]
pub(crate) fn system_time() -> Option<SystemTime> {
    let since_epoch = web_time::SystemTime::now().duration_since(web_time::UNIX_EPOCH).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(since_epoch)
}

/// The longest time that `setTimeout` can wait, almost 25 days. It ends at once if the time is longer.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// A timer of JavaScript's `setTimeout`. It is `!Send`.
#[derive(Debug)]
#[allow(unreachable_pub, reason = "the timer of a public implementation")]
pub struct Timer {
    /// `None` when it has ended: `TimeoutFuture` panics if it is polled after its end.
    step: Option<TimeoutFuture>,
    /// The time to wait after this step.
    left: Duration,
}

/// Waits for the delay in steps of what `setTimeout` can wait.
pub(crate) fn sleep(delay: Duration) -> Timer {
    let step = delay.min(LONGEST);
    // A fraction of a millisecond counts as a whole one: `setTimeout` drops it, and the timer would end too early.
    let millis = step.as_nanos().div_ceil(1_000_000);
    Timer { step: u32::try_from(millis).ok().map(TimeoutFuture::new), left: delay - step }
}

pub(crate) fn sleep_until(end: Instant) -> Timer {
    sleep(end.saturating_duration_since(Instant::now()))
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(step) = &mut self.step {
            ready!(Pin::new(step).poll(cx));
            self.step = None;
            if !self.left.is_zero() {
                *self = sleep(self.left);
            }
        }
        Poll::Ready(())
    }
}

/// False: a timer of JavaScript's does not stay pending when it has ended.
#[inline(always)]
pub(crate) fn has_passed_unnoticed(_: &Timer) -> bool {
    false
}

/// A random number, uniform in `[0, 1)`. Fastrand would need `getrandom` with a backend that only the final crate may choose, and
/// has the same numbers in each page without it.
pub(crate) fn random() -> f64 {
    js_sys::Math::random()
}
