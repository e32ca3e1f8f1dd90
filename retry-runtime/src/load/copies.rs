//! The copies of a hedged attempt: when there is another one, and which of them gives the outcome.

use core::fmt;
use core::future::poll_fn;
use core::marker::PhantomData;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::classify::condition::{Classification, Condition, Verdict};
use crate::context::scope;
use crate::engine::call::Call;
use crate::engine::decide;
use crate::engine::executor::{Core, Executor};
use crate::engine::time_limit::{LimitTimer, TimeLimit};
use crate::load::breaker::{EachCopy, Entrance, Pass};
use crate::load::hedge::Hedge;
use crate::util::sleep::Sleep;

/// The outcome of a copy, and whether it is the answer.
#[derive(Debug)]
pub struct HedgeOutcome<O> {
    outcome: O,
    is_good: bool,
}

impl<O> HedgeOutcome<O> {
    /// By a condition.
    #[inline]
    pub fn new(condition: &Condition, classification: Classification, outcome: O) -> Self {
        Self { is_good: condition.verdict(classification) == Verdict::Done, outcome }
    }
}

pin_project! {
    /// What runs at the same time. The first copy is here, for an answer in time to allocate nothing.
    pub(crate) struct Copies<A> {
        #[pin]
        first: Option<A>,
        more: Vec<Pin<Box<A>>>,
        made: u32,
        // True if the others are polled before the first copy next time.
        more_first: bool,
    }
}

impl<A> Copies<A> {
    pub(crate) const fn none() -> Self {
        Self { first: None, more: Vec::new(), made: 0, more_first: false }
    }

    /// How many there were so far.
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

    /// Drops all.
    fn clear(self: Pin<&mut Self>) {
        let mut this = self.project();
        this.first.set(None);
        this.more.clear();
    }
}

impl<O, A: Future<Output = HedgeOutcome<O>>> Copies<A> {
    /// Ready with the first good outcome, or with a failure when nothing else runs.
    ///
    /// Copies take turns at being polled first: one that never rests uses up what tokio lets its task do at a time, and those after
    /// it get nothing done.
    #[inline]
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O> {
        if self.more.is_empty() { self.poll_first(cx) } else { self.poll_all(cx) }
    }

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
    /// When there is another copy. The time runs from when the first one has to wait.
    pub(crate) struct Turns<T> {
        taken: u32,
        #[pin]
        timer: Option<T>,
    }
}

impl<T: Future<Output = ()>> Turns<T> {
    pub(crate) const fn none() -> Self {
        Self { taken: 0, timer: None }
    }

    /// The time that has passed without a good answer, if another copy is due. One that is not made has had its turn.
    pub(crate) fn next<S: Sleep<Apart = T>>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        hedge: &Hedge,
        sleep: &S,
    ) -> Option<Duration> {
        let mut this = self.project();
        if *this.taken >= hedge.most - 1 {
            return None;
        }
        let was_armed = this.timer.is_some();
        if !was_armed {
            this.timer.set(Some(sleep.apart(hedge.delay)));
        }
        let mut timer = this.timer.as_mut().as_pin_mut()?;
        if timer.as_mut().poll(cx).is_pending() && !(was_armed && S::apart_is_over(&timer)) {
            return None;
        }
        this.timer.set(None);
        *this.taken += 1;
        Some(hedge.delay.saturating_mul(*this.taken))
    }
}

pin_project! {
    /// One attempt of an annotated function in hedged copies, which are all cut off together.
    pub struct Hedged<S: Sleep, A, O, K: LimitTimer<S>, E> {
        hedge: &'static Hedge,
        // Lets another copy through, or not.
        entrance: E,
        cut: K,
        is_started: bool,
        #[pin]
        copies: Copies<A>,
        #[pin]
        turns: Turns<S::Apart>,
        #[pin]
        timer: K::Timer,
        outcome: PhantomData<fn() -> O>,
    }
}

impl<S: Sleep, A, O, K: TimeLimit<S, O>> Hedged<S, A, O, K, EachCopy> {
    /// The breaker's permission for the copy that is added next. The first copy asks by itself.
    pub fn pass(self: Pin<&mut Self>) -> Pass {
        self.project().entrance.take()
    }
}

impl<S: Sleep, A: Future<Output = HedgeOutcome<O>>, O, K: TimeLimit<S, O>, E> Hedged<S, A, O, K, E> {
    /// With another copy, the first one included.
    pub fn add(self: Pin<&mut Self>, copy: A) {
        self.project().copies.add(copy);
    }
}

impl<C: Call, S: Sleep> Executor<C, S> {
    /// An attempt of an annotated function that has no copy yet, and what its copies have to pass: a breaker or `()`.
    #[doc(hidden)]
    pub fn hedged<A, O, K, E>(&self, hedge: &'static Hedge, entrance: E, cut: K) -> Hedged<S, A, O, K, E>
    where
        A: Future<Output = HedgeOutcome<O>>,
        K: TimeLimit<S, O>,
    {
        let timer = K::timer(&self.sleep);
        let (copies, turns) = (Copies::none(), Turns::none());
        Hedged { hedge, entrance, cut, is_started: false, copies, turns, timer, outcome: PhantomData }
    }

    /// Runs the copies: gives the outcome of the attempt, or nothing when there is to be another copy.
    #[doc(hidden)]
    pub async fn run_hedged<A, O, K, E>(&mut self, mut hedged: Pin<&mut Hedged<S, A, O, K, E>>) -> Option<O>
    where
        A: Future<Output = HedgeOutcome<O>>,
        K: TimeLimit<S, O>,
        E: Entrance,
    {
        poll_fn(|cx| hedged.as_mut().poll(self, cx)).await
    }
}

impl<S: Sleep, A: Future<Output = HedgeOutcome<O>>, O, K: TimeLimit<S, O>, E: Entrance> Hedged<S, A, O, K, E> {
    fn poll<C: Call>(self: Pin<&mut Self>, executor: &mut Executor<C, S>, cx: &mut Context<'_>) -> Poll<Option<O>> {
        let mut this = self.project();
        if !mem::replace(this.is_started, true) {
            executor.begin();
            if let Some(outcome) = this.cut.before(executor) {
                return Poll::Ready(Some(end(executor, outcome)));
            }
        }
        if let Poll::Ready(outcome) = poll_copies(K::CUTS_OFF, executor, this.copies.as_mut(), cx) {
            this.copies.clear();
            return Poll::Ready(Some(end(executor, outcome)));
        }
        while let Some(after) = this.turns.as_mut().next(cx, this.hedge, &executor.sleep) {
            if is_let_through(this.entrance, this.hedge, &executor.core, this.copies.made() + 1, after) {
                return Poll::Ready(None);
            }
        }
        this.cut.poll(this.timer, executor, cx).map(|outcome| {
            let _cutting_off = scope::CuttingOff::new();
            this.copies.clear();
            Some(end(executor, outcome))
        })
    }
}

/// Asks for another copy, and emits it. The breaker comes first, since a copy that is not made costs nothing.
#[cold]
#[inline(never)]
fn is_let_through(
    entrance: &mut impl Entrance,
    hedge: &Hedge,
    core: &Core<impl Call>,
    copy: u32,
    after: Duration,
) -> bool {
    let Some(pass) = entrance.ask() else { return false };
    let Some(paid) = hedge.pay(core.call.policy().budget) else { return false };
    decide::hedged(&core.state, &core.call, copy, after);
    paid.spend();
    entrance.keep(pass);
    true
}

fn end<C: Call, S: Sleep, O>(executor: &mut Executor<C, S>, outcome: O) -> O {
    executor.end();
    outcome
}

/// Polls all copies as the attempt that they are.
fn poll_copies<C: Call, S: Sleep, O, A: Future<Output = HedgeOutcome<O>>>(
    is_cut_off: bool,
    executor: &mut Executor<C, S>,
    copies: Pin<&mut Copies<A>>,
    cx: &mut Context<'_>,
) -> Poll<O> {
    let polled = executor.in_scope(is_cut_off, |_rare| {
        #[cfg(any(feature = "tracing", feature = "connection-events"))]
        let _entered = _rare.enter();
        copies.poll(cx)
    });
    executor.core.tell();
    polled
}

impl<S: Sleep, A, O, K: TimeLimit<S, O>, E> fmt::Debug for Hedged<S, A, O, K, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hedged")
    }
}
