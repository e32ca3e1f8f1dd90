//! Durations for people.

use core::time::Duration;

/// Without the digits that nobody reads: whole milliseconds from 10 ms on, whole microseconds below.
pub(crate) fn legible(duration: Duration) -> Duration {
    const MICRO: u32 = 1_000;
    const MILLI: u32 = 1_000_000;
    let unit = if duration < Duration::from_millis(10) { MICRO } else { MILLI };
    Duration::new(duration.as_secs(), duration.subsec_nanos() / unit * unit)
}
