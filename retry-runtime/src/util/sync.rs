//! Atomics and locks. Budgets and breakers import theirs from here, so that `tests/loom` can substitute loom's.

pub(crate) use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
pub(crate) use std::sync::{Mutex, MutexGuard};

use std::sync::PoisonError;

/// Locks a mutex and ignores poisoning: no code of this crate leaves a value half updated if it panics while it holds a
/// lock.
#[allow(dead_code, reason = "unused with some sets of features")]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
