//! The hedged attempt of an annotated function: polls its copies, asks for another one when it is due, and cuts all of them
//! off at the attempt's time limit. The function's own code makes the copies.

use core::fmt;
use core::future::poll_fn;
use core::marker::PhantomData;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::context::expiry::Expiring;
use crate::engine::call::Call;
use crate::engine::core::{ActiveCall, Core};
use crate::engine::executor::Executor;
use crate::engine::react;
use crate::engine::time_limit::{LimitTimer, TimeLimit};
use crate::load::breaker::pass::{AdmitsCopies, BreakerForCopies, Pass};
use crate::load::hedge::Hedge;
use crate::load::hedge::copies::{Copies, HedgeOutcome, Turns};
use crate::util::sleep::Sleep;

pin_project! {
    /// One attempt of an annotated function in hedged copies, which are all cut off together.
    pub struct Hedged<S: Sleep, A, O, K: LimitTimer<S>, E> {
        hedge: &'static Hedge,
        // Admits copies after the first: a circuit breaker, or `()` without one.
        breaker: E,
        limit: K,
        is_started: bool,
        #[pin]
        copies: Copies<A>,
        #[pin]
        turns: Turns<S::Separate>,
        #[pin]
        timer: K::Timer,
        // A function pointer is `Send` whatever `O` is: the future holds no outcome.
        outcome: PhantomData<fn() -> O>,
    }
}

impl<'b, S: Sleep, A, O, K: TimeLimit<S, O>> Hedged<S, A, O, K, BreakerForCopies<'b>> {
    /// Takes the breaker's permission for the copy that is added next. The first copy gets none here, and asks the breaker
    /// itself.
    pub fn pass(self: Pin<&mut Self>) -> Pass<'b> {
        self.project().breaker.take()
    }
}

impl<S: Sleep, A: Future<Output = HedgeOutcome<O>>, O, K: TimeLimit<S, O>, E> Hedged<S, A, O, K, E> {
    /// Adds a copy, the first one included.
    pub fn add(self: Pin<&mut Self>, copy: A) {
        self.project().copies.add(copy);
    }
}

impl<C: Call, S: Sleep> Executor<C, S> {
    /// An attempt of an annotated function that has no copy yet. `breaker` admits the copies: a circuit breaker or `()`.
    #[doc(hidden)]
    pub fn hedged<A, O, K, E>(&self, hedge: &'static Hedge, breaker: E, limit: K) -> Hedged<S, A, O, K, E>
    where
        A: Future<Output = HedgeOutcome<O>>,
        K: TimeLimit<S, O>,
    {
        let timer = K::timer(&self.core.sleep);
        let (copies, turns) = (Copies::none(), Turns::none());
        Hedged { hedge, breaker, limit, is_started: false, copies, turns, timer, outcome: PhantomData }
    }

    /// Runs the copies. Returns the outcome of the attempt, or `None` when another copy is due.
    #[doc(hidden)]
    pub async fn run_hedged<A, O, K, E>(&mut self, mut hedged: Pin<&mut Hedged<S, A, O, K, E>>) -> Option<O>
    where
        A: Future<Output = HedgeOutcome<O>>,
        K: TimeLimit<S, O>,
        E: AdmitsCopies,
    {
        poll_fn(|cx| hedged.as_mut().poll(&mut self.core, cx)).await
    }
}

impl<S: Sleep, A: Future<Output = HedgeOutcome<O>>, O, K: TimeLimit<S, O>, E: AdmitsCopies> Hedged<S, A, O, K, E> {
    fn poll<C: Call>(self: Pin<&mut Self>, core: &mut Core<C, S>, cx: &mut Context<'_>) -> Poll<Option<O>> {
        let mut this = self.project();
        if !mem::replace(this.is_started, true) {
            core.begin();
            if let Some(outcome) = this.limit.before(core, true) {
                return Poll::Ready(Some(end(core, outcome)));
            }
        }
        if let Poll::Ready(outcome) = core.in_attempt::<K, _>(|| this.copies.as_mut().poll(cx)) {
            this.copies.clear();
            return Poll::Ready(Some(end(core, outcome)));
        }
        while let Some(after) = this.turns.as_mut().next(cx, this.hedge, &core.sleep) {
            if is_admitted(this.breaker, this.hedge, &core.active, this.copies.made() + 1, after) {
                return Poll::Ready(None);
            }
        }
        this.limit.poll(this.timer, core, cx).map(|outcome| {
            // A copy that is cut off counts as a failure for its breaker. A copy that is dropped because another one won
            // does not.
            let _expiring = Expiring::new();
            this.copies.clear();
            Some(end(core, outcome))
        })
    }
}

/// Asks the breaker and the budget for another copy, and emits the event of its start. The breaker is asked first, so that
/// a copy which it rejects takes no tokens from the budget.
///
/// Cold, because most attempts succeed before another copy is due.
#[cold]
#[inline(never)]
fn is_admitted(
    breaker: &mut impl AdmitsCopies,
    hedge: &Hedge,
    active: &ActiveCall<impl Call>,
    copy: u32,
    after: Duration,
) -> bool {
    let ActiveCall { call, state } = active;
    let Some(pass) = breaker.ask() else { return false };
    let Some(paid) = hedge.pay(call.budget()) else { return false };
    react::copy_started(state, call, copy, after);
    paid.spend();
    breaker.keep(pass);
    true
}

fn end<C: Call, S: Sleep, O>(core: &mut Core<C, S>, outcome: O) -> O {
    core.end();
    outcome
}

impl<S: Sleep, A, O, K: TimeLimit<S, O>, E> fmt::Debug for Hedged<S, A, O, K, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hedged")
    }
}
