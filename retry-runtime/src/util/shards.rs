//! Counters with a part for each group of threads, so that threads do not write to the same cache line.

use crate::util::sync::{AcqRel, Acquire, AtomicU64, Relaxed, SHARDS, shard};

/// A value for each shard. Two cache lines apart, because processors fetch lines in pairs.
#[derive(Debug)]
pub(crate) struct Sharded<T>(pub(crate) [Shard<T>; SHARDS]);

#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Shard<T>(pub(crate) T);

impl<T> Sharded<T> {
    /// The value of the current thread's shard, which other threads may share.
    #[inline]
    pub(crate) fn mine(&self) -> &T {
        &self.0[shard()].0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|shard| &shard.0)
    }
}

/// A count that starts again with each period. Period and count are in one word, so that no update is lost or counted in the
/// wrong period when the period changes.
#[derive(Debug)]
pub(crate) struct PeriodCount(AtomicU64);

/// The lower half of a period's number, and the count of that period.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) period: u32,
    pub(crate) count: u32,
}

impl PeriodCount {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The period of the last update, and its count. What the thread of that update had seen is visible to this thread too.
    #[inline]
    pub(crate) fn load(&self) -> Counted {
        let word = self.0.load(Acquire);
        Counted { period: (word >> 32) as u32, count: word as u32 }
    }

    /// Replaces the count, and returns true, unless it is not `seen` any more.
    #[inline]
    pub(crate) fn replace(&self, seen: Counted, new: Counted) -> bool {
        self.0.compare_exchange(seen.word(), new.word(), AcqRel, Relaxed).is_ok()
    }
}

impl Counted {
    const fn word(self) -> u64 {
        (self.period as u64) << 32 | self.count as u64
    }
}

/// True if the next update of a count reads the clock to find out whether its period is over. Reading the clock takes longer
/// than counting, so only the first 16 updates of a period all read it. Later ones read it if fewer than an eighth of the
/// count, and fewer than 64, would otherwise go without.
#[inline]
pub(crate) const fn reads_clock(count: u32) -> bool {
    const LARGEST_STEP: u32 = 6;
    let step = (count | 8).ilog2() - 3;
    let step = if step < LARGEST_STEP { step } else { LARGEST_STEP };
    count & ((1 << step) - 1) == 0
}
