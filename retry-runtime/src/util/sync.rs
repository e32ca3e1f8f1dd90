//! Atomics and locks. Budgets and breakers take theirs from here, so that `tests/loom` can put loom's in their place.

pub(crate) use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
pub(crate) use std::sync::{Mutex, MutexGuard};

use std::sync::PoisonError;

#[allow(dead_code, reason = "used with most features")]
/// Locks a mutex, even a poisoned one: no code of this crate leaves a value half changed when it panics under a lock.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
