//! The switch with which an operator turns all retries off.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

static ENABLED: AtomicBool = AtomicBool::new(true);

/// Turns all retries of the process off, or on again. They are on at the start.
///
/// For the moment in which retries are suspected to keep a service down: bind it to a signal, an administrative endpoint or a line of
/// the configuration. While it is off, each call makes its first attempt and no other, and the caller gets that attempt's outcome; what
/// is said to whoever listens is [`GiveUp::Disabled`](crate::event::GiveUp::Disabled). A [`Hedge`](crate::Hedge) makes no copies. A pause that
/// has begun is waited for, and ends with its attempt, the last one. Breakers, budgets and time limits go on as they are.
///
/// It is looked at after a failure for which there would be another attempt, and costs a call that succeeds nothing.
///
/// Tests of one process share it: a test that turns it off does so for all that run beside it. For one test there is
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

/// Whether calls are retried: false after [`set_enabled`]`(false)`.
#[must_use]
pub fn is_enabled() -> bool {
    ENABLED.load(Relaxed)
}
