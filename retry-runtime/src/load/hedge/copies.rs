//! The copies of a hedged attempt: the times at which they are due, and the choice of the one that gives the outcome.

use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::classify::condition::Condition;
use crate::classify::outcome_kind::OutcomeKind;
use crate::classify::verdict::{Classification, Verdict};
use crate::load::hedge::Hedge;
use crate::util::sleep::Sleep;

/// The outcome of a copy, with the result of its classification.
#[derive(Debug)]
pub struct HedgeOutcome<O> {
    outcome: O,
    /// True for a success, which ends the hedged attempt.
    is_good: bool,
}

impl<O> HedgeOutcome<O> {
    /// The outcome of an annotated function.
    #[inline]
    pub fn new(condition: &Condition, outcome: O, mut kind: impl OutcomeKind<O>) -> Self {
        let classification = kind.classification(&outcome, condition);
        Self::classified(condition, classification, outcome)
    }

    /// An outcome that the condition classifies as a success or a failure.
    #[inline]
    pub(crate) fn classified(condition: &Condition, classification: Classification, outcome: O) -> Self {
        Self { is_good: condition.verdict(classification) == Verdict::Done, outcome }
    }
}

pin_project! {
    /// The copies that run at the same time. The first one is stored inline, so an attempt that is not late does not allocate.
    pub(crate) struct Copies<A> {
        #[pin]
        first: Option<A>,
        more: Vec<Pin<Box<A>>>,
        made: u32,
        // True if the next poll starts with the other copies instead of the first one.
        more_first: bool,
    }
}

impl<A> Copies<A> {
    pub(crate) const fn none() -> Self {
        Self { first: None, more: Vec::new(), made: 0, more_first: false }
    }

    /// The number of copies so far, including those that have ended.
    pub(crate) const fn made(&self) -> u32 {
        self.made
    }

    pub(crate) fn add(self: Pin<&mut Self>, copy: A) {
        let mut this = self.project();
        *this.made += 1;
        if *this.made == 1 {
            this.first.set(Some(copy));
        } else {
            this.more.push(Box::pin(copy));
        }
    }

    pub(super) fn clear(self: Pin<&mut Self>) {
        let mut this = self.project();
        this.first.set(None);
        this.more.clear();
    }
}

impl<O, A: Future<Output = HedgeOutcome<O>>> Copies<A> {
    /// Ready with the first success, or with the last failure once no other copy runs.
    ///
    /// Copies take turns at being polled first. A copy that is always ready to go on uses up the budget that tokio grants a
    /// task for one poll, and the copies polled after it would make no progress.
    #[inline]
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O> {
        if self.more.is_empty() { self.poll_first(cx) } else { self.poll_all(cx) }
    }

    // Cold and not inlined, to keep the poll of a single copy, which is the usual case, small.
    #[cold]
    #[inline(never)]
    fn poll_all(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O> {
        let this = self.as_mut().project();
        *this.more_first = !*this.more_first;
        if *this.more_first {
            let polled = self.as_mut().poll_first(cx);
            return if polled.is_ready() { polled } else { self.poll_more(cx) };
        }
        this.more.rotate_left(1);
        let polled = self.as_mut().poll_more(cx);
        if polled.is_ready() { polled } else { self.poll_first(cx) }
    }

    #[inline(always)]
    fn poll_first(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O> {
        let mut this = self.project();
        let first = this.first.as_mut().as_pin_mut().map_or(Poll::Pending, |first| first.poll(cx));
        let Poll::Ready(HedgeOutcome { outcome, is_good }) = first else { return Poll::Pending };
        this.first.set(None);
        if is_good || this.more.is_empty() { Poll::Ready(outcome) } else { Poll::Pending }
    }

    #[inline(always)]
    fn poll_more(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O> {
        let this = self.project();
        let mut number = 0;
        while let Some(copy) = this.more.get_mut(number) {
            let Poll::Ready(HedgeOutcome { outcome, is_good }) = copy.as_mut().poll(cx) else {
                number += 1;
                continue;
            };
            drop(this.more.swap_remove(number));
            if is_good || (this.first.is_none() && this.more.is_empty()) {
                return Poll::Ready(outcome);
            }
        }
        Poll::Pending
    }
}

pin_project! {
    /// The times at which further copies are due, counted from when the first copy was first pending.
    pub(crate) struct Turns<T> {
        // The number of further copies that were due so far, whether they were started or not.
        taken: u32,
        #[pin]
        timer: Option<T>,
    }
}

impl<T: Future<Output = ()>> Turns<T> {
    pub(crate) const fn none() -> Self {
        Self { taken: 0, timer: None }
    }

    /// Returns the time that has passed without a success if another copy is due. A copy that is then not started is not
    /// due again.
    pub(crate) fn next<S: Sleep<Separate = T>>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        hedge: &Hedge,
        sleep: &S,
    ) -> Option<Duration> {
        let mut this = self.project();
        if *this.taken >= hedge.max - 1 {
            return None;
        }
        let was_armed = this.timer.is_some();
        if !was_armed {
            this.timer.set(Some(sleep.separate(hedge.delay)));
        }
        // Tokio's timer stays pending once the task has used up its budget for this poll, so the clock is read then. It
        // is not read for a timer that has just been armed: an attempt that is pending only once never reads it.
        let mut timer = this.timer.as_mut().as_pin_mut()?;
        if timer.as_mut().poll(cx).is_pending() && !(was_armed && S::separate_is_over(&timer)) {
            return None;
        }
        this.timer.set(None);
        *this.taken += 1;
        Some(hedge.delay.saturating_mul(*this.taken))
    }
}
