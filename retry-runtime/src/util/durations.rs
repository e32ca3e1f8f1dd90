//! Rounding of durations for messages that people read.

#[cfg(feature = "report")]
use core::fmt;
use core::time::Duration;

/// Rounds a duration down to whole milliseconds, or to whole microseconds if it is below 10 ms.
pub(crate) fn legible(duration: Duration) -> Duration {
    const MICRO: u32 = 1_000;
    const MILLI: u32 = 1_000_000;
    let unit = if duration < Duration::from_millis(10) { MICRO } else { MILLI };
    Duration::new(duration.as_secs(), duration.subsec_nanos() / unit * unit)
}

/// Formats a duration as its two largest units of days, hours, minutes and seconds: `2h 5m`.
#[cfg(feature = "report")]
pub(crate) struct Coarse(pub(crate) Duration);

#[cfg(feature = "report")]
impl fmt::Display for Coarse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (days, hours, minutes, rest) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        match (days, hours, minutes) {
            (0, 0, 0) => write!(f, "{rest}s"),
            (0, 0, _) => write!(f, "{minutes}m {rest}s"),
            (0, ..) => write!(f, "{hours}h {minutes}m"),
            _ => write!(f, "{days}d {hours}h"),
        }
    }
}
