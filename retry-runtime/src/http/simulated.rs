//! The simulation of a request's first attempt, which has no executor.
//!
//! A simulation belongs to a future, so it is found only when the request is polled. By then the first attempt is under
//! way, and an executor is put beside it, which emits its events.

use core::task::Poll;

use crate::context::simulation;
use crate::engine::executor::Executor;
use crate::engine::manual_call::ManualCall;

/// The executor beside a first attempt, if it is simulated.
#[derive(Debug, Default)]
pub(super) struct SimulatedRequest<'a>(Option<Executor<ManualCall<'a>>>);

impl<'a> SimulatedRequest<'a> {
    /// Polls the attempt. The first poll in a simulation starts the executor.
    pub(super) fn poll<T>(&mut self, call: impl FnOnce() -> ManualCall<'a>, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
        if self.0.is_none() && simulation::is_on() {
            self.0.insert(Executor::start(call())).core.begin();
        }
        let Some(Executor { core }) = &self.0 else { return poll() };
        let polled = {
            let _entered = core.active.state.enter();
            poll()
        };
        core.active.flush_connection_events();
        polled
    }

    pub(super) fn succeeded(&mut self) {
        if let Some(mut retry) = self.0.take() {
            retry.core.succeed();
        }
    }

    /// The attempt failed. Returns the executor that decides what follows, if the attempt was simulated.
    pub(super) fn failed(&mut self) -> Option<Executor<ManualCall<'a>>> {
        self.0.take()
    }
}
