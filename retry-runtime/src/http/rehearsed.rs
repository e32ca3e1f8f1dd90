//! What tells a rehearsal of a first attempt that has no executor: whether there is a rehearsal is known only when the request is
//! polled, and by then it is under way.

use core::task::Poll;

use crate::Executor;
use crate::call::ByHand;
use crate::testing::current;

#[derive(Debug, Default)]
pub(super) struct Rehearsed<'a>(Option<Executor<ByHand<'a>>>);

impl<'a> Rehearsed<'a> {
    /// Polls the attempt.
    pub(super) fn poll<T>(&mut self, call: impl FnOnce() -> ByHand<'a>, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
        if self.0.is_none() && current::is_on() {
            self.0.insert(Executor::start(call())).begin();
        }
        let Some(Executor { run, .. }) = &self.0 else { return poll() };
        #[cfg(any(feature = "tracing", feature = "wire"))]
        let _entered = run.rare.enter();
        let polled = poll();
        run.tell();
        polled
    }

    /// The attempt succeeded.
    pub(super) fn succeeded(&mut self) {
        if let Some(mut retry) = self.0.take() {
            retry.succeeded();
        }
    }

    /// The attempt failed: what decides about it, if it was rehearsed.
    pub(super) fn failed(&mut self) -> Option<Executor<ByHand<'a>>> {
        self.0.take()
    }
}
