//! The calls and the retries of a ratio budget, by window. Each thread counts its calls in its shard, and a retry adds those of
//! all shards.

use core::time::Duration;
use std::sync::OnceLock;

use crate::util::clock::Instant;
use crate::util::shards::{Counted, PeriodCount, Shard, Sharded, reads_clock};
use crate::util::sync::SHARDS;

/// The rule of a ratio budget.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    pub(crate) percent: u8,
    pub(crate) reserve: u16,
}

/// The calls and the retries of the current window. The first window has the number 0.
pub(crate) struct Windows {
    /// The start of the first window.
    start: OnceLock<Instant>,
    calls: Sharded<PeriodCount>,
    retries: PeriodCount,
}

impl Share {
    /// The number of retries that a window allows after this number of calls.
    const fn retries(self, calls: u64) -> u64 {
        self.reserve as u64 + calls * self.percent as u64 / 100
    }
}

impl Windows {
    pub(crate) const fn new() -> Self {
        Self {
            start: OnceLock::new(),
            calls: Sharded([const { Shard(PeriodCount::new()) }; SHARDS]),
            retries: PeriodCount::new(),
        }
    }

    /// The number of the current window. After the last number, the last window never ends.
    pub(crate) fn number(&self, window: Duration) -> u32 {
        // 64 bits, because a division of 128 bits takes longer than reading the clock.
        let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let elapsed = nanoseconds(self.start.get_or_init(Instant::now).elapsed());
        // Not a division by zero, because the window is at least a millisecond.
        u32::try_from(elapsed / nanoseconds(window)).unwrap_or(u32::MAX)
    }

    /// Counts a call. Asks for the number of the window if `is_exact`, or if the counter has not done so for some calls.
    #[inline]
    pub(crate) fn count(&self, is_exact: bool, number: impl Fn() -> u32) {
        let calls = self.calls.mine();
        loop {
            let seen = calls.load();
            let period = if is_exact || reads_clock(seen.count) { number() } else { seen.period };
            let new = if period > seen.period {
                Counted { period, count: 1 }
            } else {
                // A thread that read the clock before the window changed is counted in the new window.
                Counted { count: seen.count.saturating_add(1), ..seen }
            };
            if calls.replace(seen, new) {
                return;
            }
        }
    }

    /// Pays for a retry. Returns false if the window does not allow it.
    pub(crate) fn pay(&self, share: Share, number: u32) -> bool {
        loop {
            // Before the calls, so that their sum includes each call that a payment in `seen` was for.
            let seen = self.retries.load();
            let (period, count) = in_window(seen, number);
            self.begin(period);
            if u64::from(count) >= share.retries(self.calls(period)) {
                return false;
            }
            let Some(count) = count.checked_add(1) else { return false };
            if self.retries.replace(seen, Counted { period, count }) {
                return true;
            }
        }
    }

    /// The number of retries that the window still allows.
    pub(crate) fn left(&self, share: Share, number: u32) -> u32 {
        let (period, count) = in_window(self.retries.load(), number);
        let left = share.retries(self.calls(period)).saturating_sub(count.into());
        u32::try_from(left).unwrap_or(u32::MAX)
    }

    /// Lets all shards count in this window, also those whose threads have not read the clock since it began.
    fn begin(&self, period: u32) {
        for calls in self.calls.iter() {
            let seen = calls.load();
            if seen.period < period {
                // If it fails, a call was counted meanwhile. The next retry tries again.
                let _ = calls.replace(seen, Counted { period, count: 0 });
            }
        }
    }

    fn calls(&self, period: u32) -> u64 {
        let seen = self.calls.iter().map(PeriodCount::load);
        seen.filter(|seen| seen.period == period).map(|seen| u64::from(seen.count)).sum()
    }
}

/// The window `number`, or that of the count if it is later, and the count in it.
const fn in_window(seen: Counted, number: u32) -> (u32, u32) {
    if number > seen.period { (number, 0) } else { (seen.period, seen.count) }
}
