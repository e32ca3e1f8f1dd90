//! The thread-local, its fields, and the guard that restores them.

use core::cell::{Cell, RefCell};
use core::mem::{self, ManuallyDrop};
use core::num::NonZeroUsize;
#[cfg(feature = "testing")]
use std::sync::Arc;

#[cfg(feature = "connection-events")]
use crate::context::connection_log::AttemptHandle;
#[cfg(feature = "testing")]
use crate::context::values::Simulated;
use crate::context::values::{TimeLimit, TrackedAttempts};

thread_local! {
    pub(super) static CONTEXT: Context = const { Context::new() };
}

/// The fields of the context.
///
/// `ManuallyDrop` keeps the thread-local free of a destructor. Each access to a thread-local with a destructor first
/// checks if the destructor has run, which costs a failing call about 70 instructions. Nothing leaks: a scope removes the
/// value that it has set, so all fields are empty when a thread ends.
pub(super) struct Context {
    /// The deadline that ends first, whether it is that of a call in this process or the caller's.
    pub(super) limit: Cell<Option<TimeLimit>>,
    /// The deadline of the caller outside this process.
    pub(super) caller: Cell<Option<TimeLimit>>,
    pub(super) nested_exhausted: Cell<bool>,
    pub(super) expired: Cell<u32>,
    pub(super) probes: RefCell<ManuallyDrop<Vec<NonZeroUsize>>>,
    pub(super) is_tracked: Cell<bool>,
    pub(super) tracked: RefCell<ManuallyDrop<Option<TrackedAttempts>>>,
    #[cfg(feature = "connection-events")]
    pub(super) attempt: RefCell<ManuallyDrop<Option<AttemptHandle>>>,
    #[cfg(feature = "testing")]
    pub(super) simulation: RefCell<ManuallyDrop<Option<Arc<dyn Simulated>>>>,
}

impl Context {
    const fn new() -> Self {
        Self {
            limit: Cell::new(None),
            caller: Cell::new(None),
            nested_exhausted: Cell::new(false),
            expired: Cell::new(0),
            probes: RefCell::new(ManuallyDrop::new(Vec::new())),
            is_tracked: Cell::new(false),
            tracked: RefCell::new(ManuallyDrop::new(None)),
            #[cfg(feature = "connection-events")]
            attempt: RefCell::new(ManuallyDrop::new(None)),
            #[cfg(feature = "testing")]
            simulation: RefCell::new(ManuallyDrop::new(None)),
        }
    }
}

/// A field of the context that a [`Scope`] can set.
pub(super) trait Field {
    type Value: Default;

    /// Sets the field, and returns its previous value.
    fn replace(context: &Context, value: Self::Value) -> Self::Value;
}

/// Sets a field of this thread's context, and returns its previous value.
#[inline(always)]
fn replace<F: Field>(value: F::Value) -> F::Value {
    CONTEXT.with(|context| F::replace(context, value))
}

/// A guard that sets a field of the context, and restores the previous value when it is dropped.
pub(super) struct Scope<F: Field> {
    /// The value that the scope around this one has set.
    outer: F::Value,
}

impl<F: Field> Scope<F> {
    #[inline(always)]
    pub(super) fn new(value: F::Value) -> Self {
        Self { outer: replace::<F>(value) }
    }

    /// Restores the field, and returns the value that it had at the end of the scope.
    #[inline(always)]
    pub(super) fn leave(mut self) -> F::Value {
        let inner = self.restore();
        mem::forget(self);
        inner
    }

    #[inline(always)]
    fn restore(&mut self) -> F::Value {
        replace::<F>(mem::take(&mut self.outer))
    }
}

impl<F: Field> Drop for Scope<F> {
    #[inline(always)]
    fn drop(&mut self) {
        self.restore();
    }
}
