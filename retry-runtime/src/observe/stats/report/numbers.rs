//! The atomic counters behind a report.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard};
use std::time::SystemTime;

use crate::classify::failure::Failure;
use crate::observe::event::{Decision, GiveUp};
use crate::util::clock::system_time;
use crate::util::shards::{Shard, Sharded};
use crate::util::sync::{SHARDS, lock, try_update};

/// The counters of one name, for each shard of threads: 2 KiB, and 128 bytes for `is_registered`. A thread increments the
/// counters of its shard, and the report adds those of all shards.
pub(crate) struct Numbers {
    pub(super) shards: Sharded<Counts>,
    is_registered: AtomicBool,
}

/// The counters of a shard, in three cache lines. The report computes the totals of calls and attempts as sums of these,
/// so that a call whose first attempt succeeds increments only one counter.
pub(super) struct Counts {
    pub(super) at_once: AtomicU64,
    pub(super) failed_calls: AtomicU64,
    pub(super) failed_attempts: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) recovered: AtomicU64,
    pub(super) gave_up: [AtomicU64; REASONS.len()],
    pub(super) cancelled: AtomicU64,
    /// In nanoseconds, which saturate after 584 years.
    pub(super) waited: AtomicU64,
}

impl Numbers {
    pub(crate) const fn new() -> Self {
        Self { shards: Sharded([const { Shard(Counts::new()) }; SHARDS]), is_registered: AtomicBool::new(false) }
    }
}

impl Counts {
    const fn new() -> Self {
        Self {
            at_once: AtomicU64::new(0),
            failed_calls: AtomicU64::new(0),
            failed_attempts: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            recovered: AtomicU64::new(0),
            gave_up: [const { AtomicU64::new(0) }; REASONS.len()],
            cancelled: AtomicU64::new(0),
            waited: AtomicU64::new(0),
        }
    }
}

/// All reasons to give up. A reason's index is also that of its counter in `Numbers::gave_up`.
pub(super) const REASONS: [GiveUp; 14] = [
    GiveUp::Exhausted,
    GiveUp::Permanent,
    GiveUp::Deadline,
    GiveUp::ServerDelay(Duration::ZERO),
    GiveUp::Nested,
    GiveUp::Budget,
    GiveUp::NotIdempotent,
    GiveUp::BodyUsedUp,
    GiveUp::Disabled,
    GiveUp::Stopped,
    GiveUp::ExhaustedBelow,
    GiveUp::ServerRefused,
    GiveUp::CallerDeadline,
    GiveUp::Excluded,
];

/// The index of a reason in [`REASONS`]. A `match`, so that a new reason without an index is a compile error.
const fn place(why: GiveUp) -> usize {
    match why {
        GiveUp::Exhausted => 0,
        GiveUp::Permanent => 1,
        GiveUp::Deadline => 2,
        GiveUp::ServerDelay(_) => 3,
        GiveUp::Nested => 4,
        GiveUp::Budget => 5,
        GiveUp::NotIdempotent => 6,
        GiveUp::BodyUsedUp => 7,
        GiveUp::Disabled => 8,
        GiveUp::Stopped => 9,
        GiveUp::ExhaustedBelow => 10,
        GiveUp::ServerRefused => 11,
        GiveUp::CallerDeadline => 12,
        GiveUp::Excluded => 13,
    }
}

#[inline(always)]
pub(crate) fn at_once(name: &'static str, numbers: &'static Numbers) {
    if numbers.shards.mine().at_once.fetch_add(1, Relaxed) == 0 {
        register(name, numbers);
    }
}

pub(crate) fn recovered(numbers: &Numbers) {
    numbers.shards.mine().recovered.fetch_add(1, Relaxed);
}

pub(crate) fn failed(
    name: &'static str,
    numbers: &'static Numbers,
    is_first: bool,
    failure: Failure,
    decision: Decision,
) {
    register(name, numbers);
    let numbers = numbers.shards.mine();
    let counter = if failure.is_rejection() { &numbers.rejected } else { &numbers.failed_attempts };
    counter.fetch_add(1, Relaxed);
    if is_first {
        numbers.failed_calls.fetch_add(1, Relaxed);
    }
    match decision {
        Ok((delay, _)) => wait(&numbers.waited, delay),
        Err(why) => {
            numbers.gave_up[place(why)].fetch_add(1, Relaxed);
        }
    }
}

pub(crate) fn cancelled(numbers: &Numbers) {
    numbers.shards.mine().cancelled.fetch_add(1, Relaxed);
}

fn wait(waited: &AtomicU64, delay: Duration) {
    let delay = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
    // Always `Ok`, because the closure always returns `Some`.
    let _ = try_update(waited, Relaxed, Relaxed, |waited| Some(waited.saturating_add(delay)));
}

/// Adds a name to the report when it is called for the first time.
// The load before the swap spares later failures a write to a shared cache line.
#[cold]
#[inline(never)]
fn register(name: &'static str, numbers: &'static Numbers) {
    if !numbers.is_registered.load(Relaxed) && !numbers.is_registered.swap(true, Relaxed) {
        let mut registered = registered();
        if registered.names.is_empty() {
            registered.since = system_time();
        }
        registered.names.push((name, numbers));
    }
}

/// The names that have been called.
pub(super) struct Registered {
    /// The time of the first outcome. `None` before it, and on a host without a clock.
    pub(super) since: Option<SystemTime>,
    /// In the order of their first outcomes, with their counters.
    pub(super) names: Vec<(&'static str, &'static Numbers)>,
}

pub(super) fn registered() -> MutexGuard<'static, Registered> {
    static REGISTERED: Mutex<Registered> = Mutex::new(Registered { since: None, names: Vec::new() });
    lock(&REGISTERED)
}
