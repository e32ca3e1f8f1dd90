//! Attribution of connection events to the attempt that a name is resolved or a connection is established for.
//!
//! Code that is polled as part of an attempt finds the attempt in the context. If a connection pool connects in a task of
//! its own, the task carries an [`AttemptHandle`]. Events are stored in the call's [`ConnectionLog`], and the call emits
//! them when it is polled next, because only the call has access to its observer.

use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

pub(crate) use crate::context::connection_log::{AttemptHandle, ConnectionLog, Entry, remember};
use crate::context::thread::{CONTEXT, Context, Field, Scope};

/// True if the library has connection events at all.
pub(crate) const ENABLED: bool = true;

impl AttemptHandle {
    /// The attempt that is being polled on this thread.
    pub(crate) fn current() -> Option<Self> {
        CONTEXT.with(|context| (**context.attempt.borrow()).clone())
    }
}

impl ConnectionLog {
    /// Makes this attempt the current one, until the scope is dropped.
    #[inline]
    pub(crate) fn enter(&self, attempt: u32) -> AttemptScope {
        AttemptScope::new(self.of_attempt(attempt))
    }
}

/// A guard that makes an attempt the current one until it is dropped.
pub(crate) struct AttemptScope(#[allow(dead_code, reason = "restores on drop")] Scope<AttemptField>);

impl AttemptScope {
    pub(crate) fn new(attempt: AttemptHandle) -> Self {
        Self(Scope::new(Some(attempt)))
    }
}

struct AttemptField;

impl Field for AttemptField {
    type Value = Option<AttemptHandle>;

    fn replace(context: &Context, value: Self::Value) -> Self::Value {
        ManuallyDrop::into_inner(context.attempt.replace(ManuallyDrop::new(value)))
    }
}

pin_project! {
    /// A future that sets the attempt that it was created for whenever it is polled, in whatever task that is.
    #[derive(Debug)]
    pub(crate) struct For<F> {
        attempt: Option<AttemptHandle>,
        #[pin]
        future: F,
    }
}

impl<F> For<F> {
    pub(crate) fn new(attempt: Option<AttemptHandle>, future: F) -> Self {
        Self { attempt, future }
    }
}

impl<F: Future> Future for For<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _scope = this.attempt.clone().map(AttemptScope::new);
        this.future.poll(cx)
    }
}
