//! Loom's atomic and lock, created at their first use, because they cannot be created in a `const`.

use std::sync::{LockResult, Mutex as Once, OnceLock, PoisonError};

use loom::sync::atomic::Ordering;
pub(crate) use loom::sync::atomic::Ordering::Relaxed;

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

    pub(crate) fn fetch_add(&self, more: u64, order: Ordering) -> u64 {
        self.inner().fetch_add(more, order)
    }

    pub(crate) fn fetch_update(
        &self,
        set: Ordering,
        fetch: Ordering,
        change: impl FnMut(u64) -> Option<u64>,
    ) -> Result<u64, u64> {
        self.inner().fetch_update(set, fetch, change)
    }
}
