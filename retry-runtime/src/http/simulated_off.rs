//! The replacement for `simulated.rs` without the feature `testing`: no request is simulated. Everything is inlined to nothing.

use core::marker::PhantomData;
use core::task::Poll;

use crate::engine::executor::Executor;
use crate::engine::manual_call::ManualCall;

#[derive(Debug, Default)]
pub(super) struct SimulatedRequest<'a>(PhantomData<&'a ()>);

impl<'a> SimulatedRequest<'a> {
    #[inline(always)]
    pub(super) fn poll<T>(&mut self, _: impl FnOnce() -> ManualCall<'a>, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
        poll()
    }

    #[inline(always)]
    pub(super) fn succeeded(&mut self) {}

    #[inline(always)]
    pub(super) fn failed(&mut self) -> Option<Executor<ManualCall<'a>>> {
        None
    }
}
