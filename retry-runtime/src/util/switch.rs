//! The process-wide switch that turns all retries off.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Relaxed, because no other data depends on it.
static ENABLED: AtomicBool = AtomicBool::new(true);

/// Turns all retries of the process off or on. Defaults to on.
///
/// While retries are off:
///
/// - Each call makes only its first attempt, and the caller receives that attempt's outcome. Instead of a retry, it emits
///   [`GiveUp::Disabled`](crate::event::GiveUp::Disabled).
/// - A call that waits for a value that is not ready yet (`until`) goes on asking, because nothing has failed.
/// - A [`Hedge`](crate::Hedge) starts no copies.
/// - A pause that has already begun runs to its end and is followed by its attempt, which is the last one.
/// - Breakers, budgets and time limits work as before.
///
/// The tests of one process share the switch. For one test, use
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
