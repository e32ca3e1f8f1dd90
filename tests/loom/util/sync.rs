//! Loom's atomic and lock, created at their first use, because they cannot be created in a `const`. A test chooses the shard of
//! each thread.

use std::cell::Cell;
use std::fmt;
use std::sync::{LockResult, Mutex as Once, OnceLock, PoisonError};

use loom::sync::atomic::Ordering;
pub(crate) use loom::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

pub(crate) use loom::sync::MutexGuard;

pub(crate) struct Mutex<T> {
    first: Once<Option<T>>,
    inner: OnceLock<loom::sync::Mutex<T>>,
}

impl<T> Mutex<T> {
    pub(crate) const fn new(first: T) -> Self {
        Self { first: Once::new(Some(first)), inner: OnceLock::new() }
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let first = || self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.inner.get_or_init(|| loom::sync::Mutex::new(first().expect("`OnceLock` initializes once"))).lock()
    }
}

impl<T: fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lock().unwrap_or_else(PoisonError::into_inner).fmt(f)
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) struct AtomicU64 {
    first: u64,
    inner: OnceLock<loom::sync::atomic::AtomicU64>,
}

impl AtomicU64 {
    pub(crate) const fn new(first: u64) -> Self {
        Self { first, inner: OnceLock::new() }
    }

    fn inner(&self) -> &loom::sync::atomic::AtomicU64 {
        self.inner.get_or_init(|| loom::sync::atomic::AtomicU64::new(self.first))
    }

    pub(crate) fn load(&self, order: Ordering) -> u64 {
        self.inner().load(order)
    }

    pub(crate) fn store(&self, value: u64, order: Ordering) {
        self.inner().store(value, order);
    }

    pub(crate) fn compare_exchange(&self, seen: u64, new: u64, set: Ordering, fetch: Ordering) -> Result<u64, u64> {
        self.inner().compare_exchange(seen, new, set, fetch)
    }

    pub(crate) fn fetch_add(&self, more: u64, order: Ordering) -> u64 {
        self.inner().fetch_add(more, order)
    }

    pub(crate) fn fetch_xor(&self, bits: u64, order: Ordering) -> u64 {
        self.inner().fetch_xor(bits, order)
    }
}

pub(crate) fn try_update(
    word: &AtomicU64,
    set: Ordering,
    fetch: Ordering,
    change: impl FnMut(u64) -> Option<u64>,
) -> Result<u64, u64> {
    word.inner().fetch_update(set, fetch, change)
}

/// Formatting a value creates loom's atomics in it.
impl fmt::Debug for AtomicU64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.load(Relaxed).fmt(f)
    }
}

/// Few, because each test looks at all interleavings of reading them.
pub(crate) const SHARDS: usize = 2;

loom::thread_local! {
    static SHARD: Cell<usize> = Cell::new(0);
}

/// The shard of the current thread. Defaults to 0.
pub(crate) fn shard() -> usize {
    SHARD.with(Cell::get)
}

pub(crate) fn use_shard(shard: usize) {
    SHARD.with(|own| own.set(shard));
}
