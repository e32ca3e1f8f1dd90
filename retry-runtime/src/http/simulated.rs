//! What tells a rehearsal of a first attempt that has no executor: whether there is a rehearsal is known only when the request is
//! polled, and by then it is under way.

use core::task::Poll;

use crate::context::simulation;
use crate::engine::call::ManualCall;
use crate::engine::executor::Executor;

#[derive(Debug, Default)]
pub(super) struct SimulatedRequest<'a>(Option<Executor<ManualCall<'a>>>);

impl<'a> SimulatedRequest<'a> {
    /// Polls the attempt.
    pub(super) fn poll<T>(&mut self, call: impl FnOnce() -> ManualCall<'a>, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
        if self.0.is_none() && simulation::is_on() {
            self.0.insert(Executor::start(call())).begin();
        }
        let Some(Executor { core, .. }) = &self.0 else { return poll() };
        #[cfg(any(feature = "tracing", feature = "connection-events"))]
        let _entered = core.state.enter();
        let polled = poll();
        core.tell();
        polled
    }

    /// The attempt succeeded.
    pub(super) fn succeeded(&mut self) {
        if let Some(mut retry) = self.0.take() {
            retry.succeeded();
        }
    }

    /// The attempt failed: what decides about it, if it was rehearsed.
    pub(super) fn failed(&mut self) -> Option<Executor<ManualCall<'a>>> {
        self.0.take()
    }
}
