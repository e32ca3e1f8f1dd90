//! The time in which a breaker rejects attempts because the server asked to wait.

use core::time::Duration;

use crate::util::clock::Instant;

/// A pause of a breaker. It reads no clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pause {
    /// `None` if the end is too far away for the clock: the breaker then stays paused.
    until: Option<Instant>,
    length: Duration,
    /// True if most attempts have failed too, so that a probe follows the pause.
    pub(crate) precedes_probe: bool,
}

impl Pause {
    pub(crate) fn new(now: Instant, length: Duration, precedes_probe: bool) -> Self {
        Self { until: now.checked_add(length), length, precedes_probe }
    }

    /// The pause after another attempt has received this delay.
    ///
    /// A delay of the same length does not move the end, although it began later. Attempts that run at the same time receive
    /// the same delay one after the other. If the last of them moved the end, the first would be rejected when it returns
    /// after the delay that it received itself.
    pub(crate) fn or_longer(self, now: Instant, length: Duration) -> Self {
        // Also if this pause is over, but no attempt has asked since then.
        let replaces = length > self.length || self.rest(now).is_none();
        if replaces { Self::new(now, length, self.precedes_probe) } else { self }
    }

    /// The same pause, but a probe follows it.
    pub(crate) fn before_probe(self) -> Self {
        Self { precedes_probe: true, ..self }
    }

    /// The time until the end, or `None` if the pause is over.
    pub(crate) fn rest(&self, now: Instant) -> Option<Duration> {
        let Some(until) = self.until else { return Some(Duration::MAX) };
        (now < until).then(|| until - now)
    }

    /// The time after the end over which rejected attempts are spread: a tenth of the pause.
    pub(crate) fn spread(&self) -> Duration {
        self.length / 10
    }

    /// True if the pause ends after this time, where `None` is later than every time.
    pub(crate) fn ends_after(&self, time: Option<Instant>) -> bool {
        time.is_some_and(|time| self.until.is_none_or(|until| until > time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn only_a_longer_delay_moves_the_end() {
        let start = Instant::now();
        let pause = Pause::new(start, SECOND * 5, false);
        // The times of the second delay and its length, and the end of the pause after it, in seconds.
        for (at, length, end) in [(0, 5, 5), (1, 4, 5), (4, 5, 5), (1, 6, 7), (0, 9, 9), (5, 5, 10), (7, 1, 8)] {
            let pause = pause.or_longer(start + SECOND * at, SECOND * length);
            let case = format!("{length} s after {at} s");
            assert_eq!(pause.rest(start), Some(SECOND * end), "{case}");
            assert_eq!(pause.rest(start + SECOND * end), None, "{case}");
        }
    }

    #[test]
    fn pause_beyond_the_end_of_the_clock_has_no_end() {
        let now = Instant::now();
        let forever = Pause::new(now, Duration::MAX, true);
        assert_eq!(forever.rest(now + SECOND), Some(Duration::MAX));
        assert_eq!(forever.or_longer(now + SECOND, SECOND).rest(now), Some(Duration::MAX));
        assert!(forever.ends_after(Some(now)) && !forever.ends_after(None));
        assert!(!Pause::new(now, SECOND, true).ends_after(Some(now + SECOND)));
        assert_eq!(forever.spread(), Duration::MAX / 10);
    }
}
