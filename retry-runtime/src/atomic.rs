//! The atomics of budgets, apart so that `tests/loom` can put loom's in their place.

pub(crate) use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
