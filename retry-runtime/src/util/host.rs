//! The clock, the timer and the random source: tokio's and fastrand's.

use std::time::SystemTime;

use tokio::task::coop;

pub(crate) use std::time::Instant as StdInstant;
pub(crate) use tokio::time::{Instant, Sleep as Timer, sleep, sleep_until};

/// The instant as the standard library's.
pub(crate) fn into_std(instant: Instant) -> StdInstant {
    instant.into_std()
}

/// The time of day, or `None` if the host has none.
#[allow(clippy::unnecessary_wraps, dead_code, reason = "another host has no time; unused with some sets of features")]
pub(crate) fn system_time() -> Option<SystemTime> {
    Some(SystemTime::now())
}

/// Compares the clock with the end of a timer that has just been pending, if the task's cooperative budget is exhausted: tokio's
/// timer stays pending then, so an attempt that exhausts the budget in every poll would never time out. With budget left, the
/// timer itself knows.
#[inline(always)]
pub(crate) fn has_passed_unnoticed(timer: &Timer) -> bool {
    !coop::has_budget_remaining() && Instant::now() >= timer.deadline()
}

/// A random number, uniform in `[0, 1)`, of the thread's generator.
pub(crate) fn random() -> f64 {
    fastrand::f64()
}
