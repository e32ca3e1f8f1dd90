//! The deadline of the caller for a request's first attempt, which has no executor.

use core::pin::Pin;
use core::task::{Context, Poll};

use crate::context::caller;
use crate::engine::caller_limit::too_late;
use crate::util::clock::Instant;
use crate::util::sleep::{Sleep, TimerSlot, TokioSleep};

type Timer = <TokioSleep as TimerSlot>::Separate;

/// The timer of a first attempt. It exists if the attempt was pending under the deadline of a caller.
#[derive(Debug, Default)]
pub(super) struct FirstLimit(Option<Pin<Box<Timer>>>);

impl FirstLimit {
    /// The error of an attempt whose first poll comes after the deadline. Nothing of it has been sent.
    #[cold]
    #[inline(never)]
    pub(super) fn refuse(&self) -> Option<reqwest::Error> {
        self.0.is_none().then(too_late)?.map(Into::into)
    }

    /// The attempt is pending. Ready with its error when the deadline passes.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<reqwest::Error> {
        let Some(deadline) = caller::deadline() else { return Poll::Pending };
        let left = || deadline.at.saturating_duration_since(Instant::now());
        let timer = self.0.get_or_insert_with(|| Box::pin(TokioSleep.separate(left())));
        if timer.as_mut().poll(cx).is_pending() && !TokioSleep::separate_is_over(timer) {
            return Poll::Pending;
        }
        Poll::Ready(deadline.timed_out().into())
    }
}
