//! A pause that does not borrow its executor.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::classify::drain::{Cleanup, NoCleanup};
use crate::context::simulation;
use crate::util::sleep::{Sleep, TimerSlot, TokioSleep};

pin_project! {
    /// A [`Pause`](crate::executor::Pause) that does not borrow its executor, so that code which polls can keep both in one struct.
    /// Made by [`Pause::into_owned`](crate::executor::Pause::into_owned).
    ///
    /// The pause begins when it is first polled. A zero delay takes no timer, but yields to other tasks once.
    ///
    /// # Panics
    ///
    /// Panics with tokio's timer if it is polled outside a tokio runtime whose time is enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping it ends the pause. The executor can then continue with the next attempt.
    #[must_use = "a pause does nothing unless it is awaited"]
    pub struct OwnedPause<S: TimerSlot = TokioSleep, L = NoCleanup> {
        sleep: S,
        delay: Duration,
        is_armed: bool,
        #[pin]
        timer: Option<S::Separate>,
        cleanup: L,
    }
}

impl<S: TimerSlot, L> OwnedPause<S, L> {
    pub(crate) const fn new(sleep: S, delay: Duration, cleanup: L) -> Self {
        Self { sleep, delay, is_armed: false, timer: None, cleanup }
    }

    /// The delay before the next attempt.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.delay
    }
}

impl<S: Sleep, L: Cleanup> Future for OwnedPause<S, L> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        this.cleanup.poll(cx);
        let delay = simulation::shortened(*this.delay);
        if !*this.is_armed {
            *this.is_armed = true;
            if delay.is_zero() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let timer = this.sleep.separate(delay);
            this.timer.set(Some(timer));
        }
        this.timer.as_pin_mut().map_or(Poll::Ready(()), |timer| timer.poll(cx))
    }
}

impl<S: TimerSlot, L> fmt::Debug for OwnedPause<S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPause").field("delay", &self.delay).finish_non_exhaustive()
    }
}
