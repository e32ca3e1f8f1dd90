//! The state of a breaker as threads see it without the lock, and the counts of its window.
//!
//! Time is divided into parts, a tenth of the window each, and the parts are numbered. One word contains the state and the
//! number of the current part. Whoever reads the clock and finds that the part is over moves the word on. The counts need no
//! step for that, because each contains the number of its part, and starts again with the next one. After the breaker was
//! open, the numbers continue so far ahead that no earlier count is in the window.
//!
//! An attempt keeps the number of the part in which it was admitted. Its outcome counts only if the breaker is closed, and
//! has not left that state since. A paused breaker counts like a closed one: it only rejects attempts.

use core::time::Duration;
use std::sync::OnceLock;

use crate::util::clock::Instant;
use crate::util::shards::{Counted, PeriodCount, Shard, Sharded, reads_clock};
use crate::util::sync::{AcqRel, Acquire, AtomicU64, Relaxed, Release, SHARDS, try_update};

/// The number of parts that the window is divided into. It moves forward one part at a time.
const PARTS: u64 = 10;

/// The counts of each kind in a shard: the next power of two, so that finding one takes no division.
const SLOTS: usize = 16;

/// The states, in the lowest bits of the word. The other bits are the number of the current part.
pub(super) const CLOSED: u64 = 0;
pub(super) const OPEN: u64 = 1;
/// Paused, and closed after that.
pub(super) const PAUSED: u64 = 2;
pub(super) const HALF_OPEN: u64 = 3;
/// Paused, and half-open after that.
pub(super) const PAUSED_OPEN: u64 = 5;
const STATE: u64 = 7;
const STATE_BITS: u32 = 3;
/// The bit of the states in which outcomes do not count.
const UNCOUNTED: u64 = 1;

/// The number of the first part. No attempt is admitted in part 0.
const FIRST: u64 = 1;

/// The state and the counts. The shards take two KiB.
#[derive(Debug)]
pub(super) struct Window {
    word: AtomicU64,
    /// The number of the part in which the breaker was last closed.
    first: AtomicU64,
    /// The number of a part minus the number of whole parts since `start`. Changes when the breaker closes.
    offset: AtomicU64,
    /// The first time that a caller passed.
    start: OnceLock<Instant>,
    shards: Sharded<Counts>,
    /// Brings the failures of all shards into an order. In its own shard, because a failure writes to it.
    order: Shard<AtomicU64>,
}

/// The outcomes that the threads of a shard have counted, by part.
#[derive(Debug)]
struct Counts {
    successes: [PeriodCount; SLOTS],
    failures: [PeriodCount; SLOTS],
}

/// An attempt's number of the part in which it was admitted.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Ticket(u64);

impl Ticket {
    /// The ticket of an attempt that never counts.
    pub(super) const NONE: Self = Self(0);
    /// The ticket of a probe, whose outcome decides by itself. No part has this number.
    pub(super) const PROBE: Self = Self(u64::MAX);
}

impl Counts {
    const fn new() -> Self {
        Self { successes: [const { PeriodCount::new() }; SLOTS], failures: [const { PeriodCount::new() }; SLOTS] }
    }
}

impl Window {
    pub(super) const fn new() -> Self {
        Self {
            word: AtomicU64::new(FIRST << STATE_BITS | CLOSED),
            first: AtomicU64::new(FIRST),
            offset: AtomicU64::new(FIRST),
            start: OnceLock::new(),
            shards: Sharded([const { Shard(Counts::new()) }; SHARDS]),
            order: Shard(AtomicU64::new(0)),
        }
    }

    #[inline]
    pub(super) fn state(&self) -> u64 {
        self.word.load(Acquire) & STATE
    }

    /// Admits an attempt if the breaker is closed.
    #[inline]
    pub(super) fn admit(&self) -> Option<Ticket> {
        let word = self.word.load(Acquire);
        (word & STATE == CLOSED).then_some(Ticket(word >> STATE_BITS))
    }

    /// The number of the current part, or `None` if outcomes have not counted all the time since the attempt was admitted.
    #[inline]
    fn part(&self, ticket: Ticket) -> Option<u64> {
        let word = self.word.load(Acquire);
        // Visible with the word, and never lower than for that word. So an attempt may only be taken for too old, and only
        // if the word has changed by now.
        let first = self.first.load(Relaxed);
        (word & UNCOUNTED == 0 && ticket.0 >= first).then_some(word >> STATE_BITS)
    }

    /// Counts a success, unless that takes the clock or another try. Returns false if it has not counted.
    #[inline]
    pub(super) fn succeed_at_once(&self, ticket: Ticket) -> bool {
        let Some(part) = self.part(ticket) else { return false };
        let slot = &self.shards.mine().successes[part as usize % SLOTS];
        let seen = slot.load();
        let new = Counted { count: seen.count.saturating_add(1), ..seen };
        seen.period == part as u32 && !reads_clock(seen.count) && slot.replace(seen, new)
    }

    /// Counts a success. Returns false if it does not count.
    pub(super) fn succeed(&self, ticket: Ticket, length: Duration, now: impl Fn() -> Instant) -> bool {
        let mut has_looked = false;
        let look = |count| {
            let looks = !has_looked && reads_clock(count);
            has_looked |= looks;
            looks && self.move_on(now(), length)
        };
        self.count(ticket, &self.shards.mine().successes, look)
    }

    /// Counts a failure. Returns false if it does not count.
    ///
    /// Of failures that threads count at the same time, at least one is followed by an [`is_reached`](Self::is_reached) that
    /// includes the others. Each thread first counts and then takes part in the order, so it sees the counts of the threads
    /// before it in the order.
    pub(super) fn fail(&self, ticket: Ticket, length: Duration, now: Instant) -> bool {
        self.move_on(now, length);
        let counts = self.count(ticket, &self.shards.mine().failures, |_| false);
        self.order.0.fetch_add(1, AcqRel);
        counts
    }

    /// True if the outcome counts, and of at least `minimum` outcomes in the window this percentage are failures.
    pub(super) fn is_reached(&self, ticket: Ticket, minimum: u32, percent: u8) -> bool {
        let Some(part) = self.part(ticket) else { return false };
        let (minimum, percent) = (u64::from(minimum), u64::from(percent));
        let failures = self.total(part, |counts| &counts.failures);
        // Spares most failures the look at the successes, which other threads may be writing.
        if failures * 100 < minimum * percent {
            return false;
        }
        let outcomes = failures + self.total(part, |counts| &counts.successes);
        outcomes >= minimum && failures * 100 >= outcomes * percent
    }

    /// Counts an outcome in the current part, unless it does not count. Returns if it does. `look` receives the count so far
    /// and returns true if it may have changed the current part.
    fn count(&self, ticket: Ticket, counts: &[PeriodCount; SLOTS], mut look: impl FnMut(u32) -> bool) -> bool {
        while let Some(part) = self.part(ticket) {
            let slot = &counts[part as usize % SLOTS];
            let seen = slot.load();
            let count = if seen.period == part as u32 {
                seen.count
            } else if self.word.load(Relaxed) >> STATE_BITS == part {
                // The count is of an earlier part. A later one would not be visible without a later word.
                0
            } else {
                continue;
            };
            if look(count) {
                continue;
            }
            if slot.replace(seen, Counted { period: part as u32, count: count.saturating_add(1) }) {
                return true;
            }
        }
        false
    }

    /// The sum of the counts in the window, if this is the current part. A count that is 2³² parts old would be included, but
    /// that many parts of a second take 136 years.
    fn total(&self, part: u64, kind: fn(&Counts) -> &[PeriodCount; SLOTS]) -> u64 {
        let sum = |counts: &[PeriodCount; SLOTS]| {
            let of_part = |ago: u64| {
                let part = part.saturating_sub(ago);
                let Counted { period, count } = counts[part as usize % SLOTS].load();
                if period == part as u32 { u64::from(count) } else { 0 }
            };
            (0..PARTS.min(part)).map(of_part).sum::<u64>()
        };
        self.shards.iter().map(|counts| sum(kind(counts))).sum()
    }

    /// Moves on to the part of this time, if outcomes count and that part is later than the current one. Returns true
    /// if it may have moved.
    pub(super) fn move_on(&self, now: Instant, length: Duration) -> bool {
        let index = self.index(now, length);
        let to_later = |word| {
            // Visible with the word. If it is that of a later word, the update fails.
            let number = self.offset.load(Relaxed).saturating_add(index);
            (word & UNCOUNTED == 0 && number > word >> STATE_BITS).then_some(number << STATE_BITS | word & STATE)
        };
        try_update(&self.word, AcqRel, Acquire, to_later).is_ok()
    }

    /// The number of whole parts since the start. A part takes at least a nanosecond.
    fn index(&self, now: Instant, length: Duration) -> u64 {
        let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let since = now.saturating_duration_since(*self.start.get_or_init(|| now));
        nanoseconds(since) / (nanoseconds(length) / PARTS).max(1)
    }

    /// True if the outcome of the attempt still counts. Final under the lock.
    pub(super) fn is_counted(&self, ticket: Ticket) -> bool {
        self.part(ticket).is_some()
    }

    /// Changes the state without emptying the counts. Called under the lock, so that only the part may change meanwhile.
    pub(super) fn change(&self, from: u64, to: u64) {
        self.word.fetch_xor(from ^ to, AcqRel);
    }

    /// Closes the breaker with empty counts. Called under the lock, so that nothing else changes the word.
    pub(super) fn close(&self, now: Instant, length: Duration) {
        let index = self.index(now, length);
        let last = self.word.load(Relaxed) >> STATE_BITS;
        let first = last.max(self.offset.load(Relaxed).saturating_add(index)).saturating_add(SLOTS as u64);
        self.offset.store(first - index, Relaxed);
        self.first.store(first, Relaxed);
        self.word.store(first << STATE_BITS | CLOSED, Release);
    }
}
