//! The atomics of budgets and the lock of breakers, apart so that `tests/loom` can put loom's in their place.

pub(crate) use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
pub(crate) use std::sync::{Mutex, MutexGuard};
