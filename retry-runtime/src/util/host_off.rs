//! The clock and the random source without the feature `tokio`: the standard library's and fastrand's. The timer is the user's.
//!
//! On wasm32-unknown-unknown, the standard library has no clock, and reading it panics. Fastrand has the same numbers in each
//! run there.

use std::time::SystemTime;

pub(crate) use std::time::Instant;
pub(crate) use std::time::Instant as StdInstant;

/// A placeholder.
#[derive(Debug)]
#[allow(unreachable_pub, reason = "the type of a public implementation")]
pub struct Timer;

/// The instant as the standard library's.
pub(crate) fn into_std(instant: Instant) -> StdInstant {
    instant
}

/// The time of day, or `None` if the host has none. A server's date must not be able to cause a panic.
#[allow(dead_code, reason = "unused without the feature of an HTTP client")]
pub(crate) fn system_time() -> Option<SystemTime> {
    if cfg!(all(target_arch = "wasm32", target_os = "unknown")) { None } else { Some(SystemTime::now()) }
}

/// A random number, uniform in `[0, 1)`, of the thread's generator.
pub(crate) fn random() -> f64 {
    fastrand::f64()
}
