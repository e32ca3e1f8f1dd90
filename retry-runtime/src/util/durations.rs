//! Rounding of durations for messages that people read.

use core::time::Duration;

/// Rounds a duration down to whole milliseconds, or to whole microseconds if it is below 10 ms.
pub(crate) fn legible(duration: Duration) -> Duration {
    const MICRO: u32 = 1_000;
    const MILLI: u32 = 1_000_000;
    let unit = if duration < Duration::from_millis(10) { MICRO } else { MILLI };
    Duration::new(duration.as_secs(), duration.subsec_nanos() / unit * unit)
}
