//! The process-wide switch that turns all retries off.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Relaxed, because no other data depends on it.
static ENABLED: AtomicBool = AtomicBool::new(true);

/// Turns all retries of the process off or on. Defaults to on.
///
/// Use it when retries are suspected of keeping a service down: connect it to a signal, an administrative endpoint or a
/// configuration key. While retries are off:
///
/// - Each call makes only its first attempt, and the caller receives that attempt's outcome. Instead of a retry, it emits
///   [`GiveUp::Disabled`](crate::event::GiveUp::Disabled).
/// - A [`Hedge`](crate::Hedge) starts no copies.
/// - A pause that has already begun runs to its end and is followed by its attempt, which is the last one.
/// - Breakers, budgets and time limits work as before.
///
/// A call reads the switch only after a failure that would otherwise be retried, so it costs a call that succeeds nothing.
///
/// The tests of one process share the switch: a test that turns retries off does so for every test that runs at the same
/// time. To turn retries off in one test, use
/// [`Simulation::without_retries`](crate::testing::Simulation::without_retries).
///
/// ```
/// # use retry_runtime::Policy;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// retry_runtime::set_enabled(false);
///
/// let mut attempts = 0;
/// let outcome: Result<(), std::io::Error> = Policy::new().run(|_| {
///     attempts += 1;
///     async { Err(std::io::ErrorKind::ConnectionRefused.into()) }
/// }).await;
/// assert!(outcome.is_err());
/// assert_eq!(attempts, 1);
/// # });
/// ```
pub fn set_enabled(enabled: bool) {
    ENABLED.store(enabled, Relaxed);
}

/// Returns `true` if calls are retried, and `false` after [`set_enabled`]`(false)`.
#[must_use]
pub fn is_enabled() -> bool {
    ENABLED.load(Relaxed)
}
