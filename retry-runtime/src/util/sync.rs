//! Atomics, locks and the shards of counters. Budgets and breakers import theirs from here, so that `tests/loom` can substitute
//! loom's.

pub(crate) use core::sync::atomic::AtomicU64;
pub(crate) use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
pub(crate) use std::sync::{Mutex, MutexGuard};

use core::cell::Cell;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::PoisonError;

/// Locks a mutex and ignores poisoning: no code of this crate leaves a value half updated if it panics while it holds a
/// lock.
#[allow(dead_code, reason = "unused with some sets of features")]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `AtomicU64::try_update`, which Rust 1.85 only has under the name that later versions deprecate.
#[allow(deprecated)]
#[inline(always)]
pub(crate) fn try_update(
    word: &AtomicU64,
    set: Ordering,
    fetch: Ordering,
    change: impl FnMut(u64) -> Option<u64>,
) -> Result<u64, u64> {
    word.fetch_update(set, fetch, change)
}

/// The number of shards of a counter. More threads than that share shards, which is slower but just as exact.
pub(crate) const SHARDS: usize = 8;

/// The shard of the current thread. Threads get the shards in turn, so that up to [`SHARDS`] threads that start one after
/// the other do not share any.
#[inline]
pub(crate) fn shard() -> usize {
    thread_local! {
        /// `SHARDS` until the thread has a shard. Without a destructor, so that it is valid until the thread ends.
        static SHARD: Cell<usize> = const { Cell::new(SHARDS) };
    }

    #[cold]
    fn next() -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let shard = NEXT.fetch_add(1, Relaxed) % SHARDS;
        SHARD.set(shard);
        shard
    }

    match SHARD.get() {
        shard if shard < SHARDS => shard,
        _ => next(),
    }
}
