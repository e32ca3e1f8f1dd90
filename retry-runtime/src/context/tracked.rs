//! Recording of the retries and failed attempts inside a future that [`track`](crate::track()) reports on.

use core::fmt::Display;
use core::mem::{self, ManuallyDrop};
use core::time::Duration;

use crate::classify::failure::Failure;
use crate::context::thread::{CONTEXT, Context, Field, Scope};
use crate::context::values::{FailedAttempt, TrackedAttempts};

impl TrackedAttempts {
    /// Adds these attempts to those of the tracked future around this one, if there is one.
    pub(crate) fn add_to_outer(&self) {
        with(|outer| {
            outer.retries = outer.retries.saturating_add(self.retries);
            if outer.capacity > 0 {
                self.failures.iter().for_each(|failure| outer.keep(failure.clone()));
            }
        });
    }
}

/// Reports the attempts of a future that is dropped before its end to the tracked future around it. After a regular end,
/// nothing is left to report.
impl Drop for TrackedAttempts {
    fn drop(&mut self) {
        if self.retries > 0 || !self.failures.is_empty() {
            self.add_to_outer();
        }
    }
}

#[inline(always)]
pub(crate) fn note_retry() {
    if is_kept() {
        with(|attempts| attempts.retries = attempts.retries.saturating_add(1));
    }
}

/// Records that an attempt failed, and the delay before the next one if there is one.
#[inline(always)]
pub(crate) fn note_failure(attempt: u32, failure: Failure, reason: &dyn Display, delay: Option<Duration>) {
    if is_kept() {
        keep_failure(attempt, failure, reason, delay);
    }
}

// Not inlined, so that a failure outside a tracked future pays only for the check of the flag.
#[cold]
#[inline(never)]
fn keep_failure(attempt: u32, failure: Failure, reason: &dyn Display, delay: Option<Duration>) {
    if with(|attempts| attempts.capacity).unwrap_or(0) == 0 {
        return;
    }
    // Formatted while nothing is borrowed, because the `Display` of an error is user code and may call a function that
    // retries.
    let reason = reason.to_string();
    let failed = FailedAttempt { attempt, class: failure.class(), status: failure.status(), reason, delay };
    with(|attempts| attempts.keep(failed));
}

/// True inside a future that [`track`](crate::track()) reports on. Reads a separate flag, because every failure makes
/// this check, and reading the flag is cheaper than borrowing the attempts.
#[inline(always)]
fn is_kept() -> bool {
    CONTEXT.with(|context| context.is_tracked.get())
}

/// Calls `work` with the attempts of the tracked future, if there is one.
fn with<T>(work: impl FnOnce(&mut TrackedAttempts) -> T) -> Option<T> {
    CONTEXT.with(|context| context.tracked.borrow_mut().as_mut().map(work))
}

/// Runs `work`, and adds the retries and failures inside it to `attempts`.
pub(crate) fn record<O>(attempts: &mut TrackedAttempts, work: impl FnOnce() -> O) -> O {
    let scope = Some(Scope::new(Some(mem::take(attempts))));
    let _recording = Recording { scope, attempts };
    work()
}

/// A guard that moves the attempts from the context back to their owner when the work ends, even by a panic.
struct Recording<'a> {
    scope: Option<Scope<TrackedField>>,
    attempts: &'a mut TrackedAttempts,
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        *self.attempts = self.scope.take().and_then(Scope::leave).unwrap_or_default();
    }
}

struct TrackedField;

impl Field for TrackedField {
    type Value = Option<TrackedAttempts>;

    fn replace(context: &Context, value: Self::Value) -> Self::Value {
        context.is_tracked.set(value.is_some());
        ManuallyDrop::into_inner(context.tracked.replace(ManuallyDrop::new(value)))
    }
}
