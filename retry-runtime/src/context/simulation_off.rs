//! The empty twin of `simulation.rs`, without the feature `testing`: no simulation is ever current.

use core::time::Duration;

#[inline]
pub(crate) const fn is_on() -> bool {
    false
}

#[inline]
pub(crate) const fn max_attempts() -> Option<u32> {
    None
}

#[inline]
pub(crate) const fn random_source() -> Option<fn() -> f64> {
    None
}

#[inline]
pub(crate) const fn skips_delays() -> bool {
    false
}

#[inline]
pub(crate) const fn shortened(delay: Duration) -> Duration {
    delay
}
