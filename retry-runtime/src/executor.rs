//! The single engine: the only thing that decides whether and when to try again.
//!
//! This is the half that every call passes: generic and inlined. The half that only a failure or a listener needs is
//! in `engine.rs`: cold, not generic, and compiled once.

use core::fmt::{self, Display};
use core::mem;
use core::ops::ControlFlow;
use core::time::Duration;

use crate::annotated::{Annotated, Plan};
use crate::call::{ByHand, Call, Notes};
use crate::condition::{Condition, Findings, Verdict};
use crate::count::{self, Own};
use crate::cut::{Cut, CutOff, Uncut, cut_off};
use crate::emit::anybody_listens;
use crate::engine;
use crate::event::Observer;
use crate::outcome::Judge;
use crate::pause::{Again, Nothing, Pause, Remains};
use crate::private::AsyncSleep;
use crate::rare::Rare;
use crate::reason::Unnamed;
use crate::running::Running;
use crate::scope;
use crate::sleep::{Sleep, SleepFunction, TimerPlace, TokioSleep};
use crate::{Attempt, Class, Failure, FromTimedOut, Policy};

/// Decides, for one call, whether and when to try again. For loops that are written by hand; the attribute,
/// [`Policy::run`] and all else that retries call it too.
///
/// Make one for each call, run each attempt through [`attempt`](Self::attempt), and tell it how the attempt ended:
/// [`succeed`](Self::succeed), [`pause`](Self::pause) to try again, [`fail`](Self::fail) to give up. Or let
/// [`next`](Self::next) classify the outcome as the attribute does.
///
/// ```
/// # use retry_runtime::{Executor, Policy, TimedOut};
/// # struct Order; struct Receipt;
/// # #[derive(Debug)] struct Error;
/// # impl std::fmt::Display for Error { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("conflict") } }
/// # impl From<TimedOut> for Error { fn from(_: TimedOut) -> Self { Self } }
/// # impl Error { fn is_conflict(&self) -> bool { true } }
/// # async fn push(_: &Order) -> Result<Receipt, Error> { Ok(Receipt) }
/// const POLICY: Policy = Policy::new().attempts(5);
///
/// async fn push_order(order: Order) -> Result<Receipt, Error> {
///     let mut retry = Executor::new(&POLICY).named("push order");
///     loop {
///         match retry.attempt(push(&order)).await {
///             Ok(receipt) => break Ok(retry.succeed(receipt)),
///             Err(error) if error.is_conflict() => retry.pause(error)?.await,
///             Err(error) => break Err(retry.fail(error)),
///         }
///     }
/// }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(push_order(Order)).unwrap();
/// ```
///
/// `C` is what it is told about the call, [`ByHand`] here; `S` is what it sleeps with.
///
/// # Cancel safety
///
/// Drop the future of an attempt or a pause, or the executor, whenever you like: nothing is lost but the attempt
/// that ran. An executor that is dropped while an attempt or a pause is under way, or between them, emits the event
/// `Cancelled`. If it is dropped before the retry has started, it returns the retry's tokens to the [`Budget`](crate::Budget). It
/// cannot see attempts that are made without it: a loop that makes such attempts reports the outcome of each. A loop may also drop an attempt (`select!`) and go on: such an attempt does not count, unless the loop
/// tells with [`pause`](Self::pause) that it failed.
pub struct Executor<C: Call = ByHand<'static>, S = TokioSleep> {
    pub(crate) run: Run<C>,
    pub(crate) sleep: S,
}

/// A call and what the engine keeps for it. Its drop emits `Cancelled` while an attempt or a pause is under way, or between them.
pub(crate) struct Run<C: Call> {
    pub(crate) call: C,
    pub(crate) rare: Rare,
}

impl<C: Call> Run<C> {
    /// Says what happened on the wire since it was last asked.
    #[inline(always)]
    pub(crate) fn tell(&self) {
        #[cfg(feature = "wire")]
        if self.rare.exists() {
            engine::tell(&self.rare, &self.call);
        }
    }
}

impl<C: Call> Drop for Run<C> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.rare.exists() {
            // Taken, so that there is nothing left to look at afterwards.
            engine::dropped(mem::replace(&mut self.rare, Rare::none()), &self.call);
        }
    }
}

impl<'a> Executor<ByHand<'a>> {
    /// For one call under this policy. The clock for its deadline starts now.
    #[must_use]
    #[inline]
    pub fn new(policy: &'a Policy) -> Self {
        Self::start(ByHand { policy, name: "retry", observer: None, notes: Some(Notes::new()), tally: Own::default() })
    }
}

impl<'a, S> Executor<ByHand<'a>, S> {
    /// The name in events; `retry` if not said.
    #[must_use]
    pub fn named(mut self, name: &'a str) -> Self {
        self.run.call.name = name;
        self
    }

    /// Counts the call in this tally, and names it so.
    #[cfg(any(feature = "metrics", feature = "report"))]
    #[must_use]
    pub fn tallied(mut self, tally: &'static crate::Tally) -> Self {
        self.run.call.tally = Some(tally);
        self.named(tally.name())
    }

    /// Sends the events to this observer, beside `tracing`.
    #[must_use]
    pub fn observed_by(mut self, observer: &'a dyn Observer) -> Self {
        self.run.call.observer = Some(observer);
        self.run.rare.watch();
        self
    }
}

impl<C: Call> Executor<C> {
    #[doc(hidden)]
    #[inline(always)]
    pub fn start(call: C) -> Self {
        let mut run = Run { call, rare: Rare::none() };
        if run.call.observer().is_some() || anybody_listens() {
            run.rare.watch();
        }
        Self { run, sleep: TokioSleep }
    }
}

impl<C: Call, S> Executor<C, S> {
    /// Sleeps with a function of yours, for other async runtimes than tokio's and for tests: it is called once
    /// for each wait, and once for each attempt that has a time limit and is not ready at once.
    #[must_use]
    #[inline]
    pub fn sleeping<F: SleepFunction>(self, sleep: F) -> Executor<C, F::Sleep> {
        Executor { run: self.run, sleep: sleep.sleep() }
    }

    /// The same for the attribute.
    #[doc(hidden)]
    #[must_use]
    #[inline]
    pub fn __sleeping<F: AsyncSleep<Kind>, Kind>(self, sleep: F) -> Executor<C, F::Sleep> {
        Executor { run: self.run, sleep: sleep.sleep() }
    }
}

/// One attempt.
impl<C: Call, S: Sleep> Executor<C, S> {
    /// Runs one attempt, in a span of its own with the `tracing` feature. Where the policy has a deadline or an
    /// attempt timeout, an attempt that outlives it is dropped and gives an error made from
    /// [`TimedOut`](crate::TimedOut).
    ///
    /// # Panics
    ///
    /// With tokio's timer, when an attempt with a time limit has to wait outside of a tokio runtime whose time is
    /// enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the attempt.
    #[inline]
    pub fn attempt<F>(&mut self, future: F) -> Running<'_, C, S, F, CutOff<F::Output>>
    where
        F: Future<Output: FromTimedOut>,
    {
        Running::new(self, future, cut_off())
    }

    /// [`attempt`](Self::attempt) for an outcome that cannot be made from [`TimedOut`](crate::TimedOut): nothing cuts
    /// the attempt off. A deadline still ends the retrying; an attempt timeout has no effect.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the attempt.
    #[inline]
    pub fn attempt_to_end<F: Future>(&mut self, future: F) -> Running<'_, C, S, F, Uncut> {
        Running::new(self, future, Uncut)
    }
}

impl<C: Call, S: TimerPlace> Executor<C, S> {
    /// One attempt of an annotated function, which always says how it ended.
    #[doc(hidden)]
    #[inline(always)]
    pub fn run<F: Future, K: Cut<S, F::Output>>(&mut self, future: F, cut: K) -> K::Attempt<'_, C, F> {
        cut.attempt(self, future)
    }

    #[inline(always)]
    pub(crate) fn begin(&mut self) {
        if self.run.rare.exists() {
            if self.run.rare.is_watched() || anybody_listens() {
                engine::begin(&mut self.run.rare, &self.run.call);
            } else {
                engine::begin_unheard(&mut self.run.rare);
            }
        }
    }

    /// An attempt has its outcome. The attribute leaves that to what it says of the outcome; a loop by hand may forget
    /// to say anything, but its attempt was not cancelled.
    #[inline(always)]
    pub(crate) fn end(&mut self) {
        if self.run.rare.exists() {
            engine::end(&mut self.run.rare);
        }
    }

    /// Does something of the attempt, and tells those inside what they may want to know; also whether the deadline cuts
    /// the attempt off.
    #[inline(always)]
    pub(crate) fn in_scope<O>(&mut self, is_cut_off: bool, work: impl FnOnce(&Rare) -> O) -> O {
        let policy = self.run.call.policy();
        let _limited = policy.deadline.and_then(|_| engine::limited(&self.run.rare, &self.run.call, is_cut_off));
        if !policy.nested_once {
            return work(&self.run.rare);
        }
        let asking = scope::Asking::new(self.run.rare.spent());
        let done = work(&self.run.rare);
        self.run.rare.set_spent(asking.is_spent());
        done
    }

    /// [`attempt_to_end`](Self::attempt_to_end) for a function that blocks.
    #[inline]
    pub fn attempt_blocking<O>(&mut self, body: impl FnOnce() -> O) -> O {
        self.begin();
        let outcome = self.in_scope(false, |_rare| {
            #[cfg(any(feature = "tracing", feature = "wire"))]
            let _entered = _rare.enter();
            body()
        });
        self.run.tell();
        self.end();
        outcome
    }

    /// The attempt that runs, or is about to.
    #[must_use]
    #[inline]
    pub fn current(&self) -> Attempt {
        engine::attempt(&self.run.rare, &self.run.call)
    }
}

/// After an attempt.
impl<C: Call, S: TimerPlace> Executor<C, S> {
    /// Says that the call succeeded, and gives the value back.
    #[inline]
    pub fn succeed<T>(&mut self, value: T) -> T {
        self.succeeded();
        value
    }

    /// Decides about another attempt after this error: gives the pause to await before it, or the error back when
    /// nothing is left: no attempt, or not enough time until the deadline.
    ///
    /// After [`succeed`](Self::succeed) it takes the success back: the events go on with the failure and the wait.
    ///
    /// The decision is made here and now, so that nothing of the error lives on in the pause. The error's class is
    /// not asked for; that is what [`next`](Self::next) does, which also takes a response that is to be tried again.
    ///
    /// # Errors
    ///
    /// The error itself, when there is no further attempt.
    #[inline]
    pub fn pause<E: Display>(&mut self, error: E) -> Result<Pause<'_, C, S>, E> {
        self.pause_for(error, Failure::new(Class::Unknown))
    }

    /// [`pause`](Self::pause) with what is known of the failure: a delay that the server asked for is honoured, at
    /// most the policy's [`retry_after`](Policy::retry_after).
    ///
    /// # Errors
    ///
    /// The error itself, when there is no further attempt.
    #[inline]
    pub fn pause_for<E: Display>(&mut self, error: E, failure: Failure) -> Result<Pause<'_, C, S>, E> {
        match self.settle(Verdict::Retry(failure), &error) {
            Some(delay) => Ok(Pause::new(self, delay, Nothing)),
            None => Err(error),
        }
    }

    /// Says that this error ends the call, and gives it back.
    #[inline]
    pub fn fail<E: Display>(&mut self, error: E) -> E {
        self.settle(Verdict::GiveUp(Failure::new(Class::Unknown)), &error);
        error
    }

    /// What follows this outcome: `Break` with the outcome itself if it is a success or there is no further
    /// attempt, else `Continue` with the pause to await before the next one.
    ///
    /// `judge` says what the outcome is worth: a `&`[`Condition`](crate::Condition) for outcomes that implement
    /// [`Outcome`](crate::Outcome), or the [`Verdict`] that [`verdict!`](crate::verdict) gives for any outcome.
    ///
    /// With a condition, a response in a `Result` or an `Option` that is tried again is read to its end during the pause, as in an annotated function, so
    /// that its connection can be used again; with a verdict it is dropped.
    ///
    /// A verdict has no text: the reason in the events is then the status or the class, not the error's own words.
    ///
    /// `verdict!` has to look at the outcome before `next` consumes it: `let verdict = verdict!(&outcome);` goes on a
    /// line of its own.
    ///
    /// ```
    /// # use retry_runtime::{Condition, Executor, Policy, verdict};
    /// # use std::ops::ControlFlow::{Break, Continue};
    /// # async fn read() -> std::io::Result<String> { Ok(String::new()) }
    /// # async fn f() -> std::io::Result<String> {
    /// let mut retry = Executor::new(&const { Policy::new() });
    /// loop {
    ///     let outcome = retry.attempt(read()).await;
    ///     match retry.next(outcome, &Condition::new()) {
    ///         Break(outcome) => break outcome,
    ///         Continue(pause) => pause.await,
    ///     }
    /// }
    /// # }
    /// ```
    pub fn next<O>(&mut self, outcome: O, judge: impl Judge<O>) -> ControlFlow<O, Pause<'_, C, S, Remains>> {
        let verdict = judge.judge(&outcome);
        #[cfg(feature = "wire")]
        self.came_over(|| judge.connection(&outcome));
        if verdict == Verdict::Done {
            return ControlFlow::Break(self.succeed(outcome));
        }
        let unnamed = Unnamed::of(verdict);
        match self.settle(verdict, judge.reason(&outcome).unwrap_or(&unnamed)) {
            Some(delay) => {
                let remains = judge.put_away(outcome, self.run.call.policy());
                ControlFlow::Continue(Pause::new(self, delay, remains))
            }
            None => ControlFlow::Break(outcome),
        }
    }

    /// Says whether the connection that a response came over was there before.
    #[cfg(feature = "wire")]
    #[inline]
    pub(crate) fn came_over(&self, connection: impl FnOnce() -> Option<crate::Connection>) {
        if self.run.rare.exists() {
            engine::came_over(&self.run.rare, &self.run.call, connection());
        }
    }

    #[inline(always)]
    pub(crate) fn succeeded(&mut self) {
        if self.run.rare.exists() {
            engine::succeeded(&mut self.run.rare, &self.run.call);
            return;
        }
        count::at_once(&self.run.call);
        if let Some(budget) = self.run.call.policy().budget {
            budget().succeeded_at_once();
        }
    }

    /// What follows a failure: the delay before the next attempt, or nothing.
    #[inline]
    pub(crate) fn settle(&mut self, verdict: Verdict, reason: &dyn Display) -> Option<Duration> {
        engine::settle(&mut self.run.rare, &mut self.run.call, verdict, reason)
    }
}

/// What the attribute asks.
impl<F, P, O, N, S> Executor<Annotated<F, P, O, N>, S>
where
    F: Fn() -> &'static Plan,
    Annotated<F, P, O, N>: Call,
    S: TimerPlace,
{
    /// Which outcomes are worth another attempt.
    #[doc(hidden)]
    #[inline(always)]
    pub fn condition(&self) -> &'static Condition {
        self.run.call.condition()
    }

    /// What follows an outcome: another attempt, or none.
    #[doc(hidden)]
    #[inline]
    pub fn decide(&mut self, findings: Findings, reason: &dyn Display) -> Option<Again<'_, Annotated<F, P, O, N>, S>> {
        let condition = self.condition();
        let delay = engine::decide(&mut self.run.rare, &mut self.run.call, condition, findings, reason)?;
        Some(Again::new(self, delay))
    }
}

impl<C: Call + fmt::Debug, S> fmt::Debug for Executor<C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor")
            .field("call", &self.run.call)
            .field("attempt", &self.run.rare.number())
            .finish_non_exhaustive()
    }
}
