//! The public face of the engine: an executor decides, for one call, whether and when to retry.
//!
//! It is generic and inlined, because every call passes it. What only a failing or observed call needs is in `react`.

use core::fmt::{self, Display};
use core::ops::ControlFlow;

use crate::classify::class::Class;
use crate::classify::condition::Condition;
use crate::classify::drain::{DrainBody, NoCleanup};
use crate::classify::failure::Failure;
use crate::classify::outcome::{Classified, Classifier};
use crate::classify::timed_out::FromTimedOut;
use crate::classify::verdict::{Classification, Verdict};
use crate::engine::attempt_future::{AttemptFuture, RunAttempt};
use crate::engine::call::{Call, History, ManualCall};
use crate::engine::core::{ActiveCall, Core};
use crate::engine::macro_call::{CallSpec, MacroCall};
use crate::engine::pause::{NextAttempt, Pause};
use crate::engine::react;
use crate::engine::situation;
use crate::engine::time_limit::{Limited, Unlimited, limited};
use crate::observe::event::Observer;
use crate::observe::reason::FallbackReason;
#[cfg(any(feature = "metrics", feature = "report"))]
use crate::observe::stats::named::CallStats;
use crate::observe::stats::named::OwnStats;
use crate::policy::attempt::Attempt;
use crate::policy::builder::Policy;
use crate::util::sleep::{AsyncSleep, Sleep, SleepFunction, TimerSlot, TokioSleep};

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
///     let mut retry = Executor::new(&POLICY).name("push order");
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
/// `C` is what it is told about the call, [`ManualCall`] here; `S` is what it sleeps with.
///
/// # Cancel safety
///
/// Drop the future of an attempt or a pause, or the executor, whenever you like: nothing is lost but the attempt
/// that ran. An executor that is dropped while an attempt or a pause is under way, or between them, emits the event
/// `Cancelled`. If it is dropped before the retry has started, it returns the retry's tokens to the [`Budget`](crate::Budget). It
/// cannot see attempts that are made without it: a loop that makes such attempts reports the outcome of each. A loop may also drop an attempt (`select!`) and go on: such an attempt does not count, unless the loop
/// tells with [`pause`](Self::pause) that it failed.
pub struct Executor<C: Call = ManualCall<'static>, S = TokioSleep> {
    pub(crate) core: Core<C, S>,
}

impl<'a> Executor<ManualCall<'a>> {
    /// For one call under this policy. The clock for its deadline starts now.
    #[must_use]
    #[inline]
    pub fn new(policy: &'a Policy) -> Self {
        Self::start(ManualCall {
            policy,
            name: "retry",
            observer: None,
            history: Some(History::new()),
            stats: OwnStats::default(),
        })
    }
}

impl<'a, S> Executor<ManualCall<'a>, S> {
    /// The name in events; `retry` if not said.
    #[must_use]
    pub fn name(mut self, name: &'a str) -> Self {
        self.core.active.call.name = name;
        self
    }

    /// Counts the call in this tally, and names it so.
    #[cfg(any(feature = "metrics", feature = "report"))]
    #[must_use]
    pub fn stats(mut self, stats: &'static CallStats) -> Self {
        self.core.active.call.stats = Some(stats);
        self.name(stats.name())
    }

    /// Sends the events to this observer, beside `tracing`.
    #[must_use]
    pub fn observer(mut self, observer: &'a dyn Observer) -> Self {
        self.core.active.call.observer = Some(observer);
        self.core.active.state.observe();
        self
    }
}

impl<C: Call> Executor<C> {
    #[doc(hidden)]
    #[inline(always)]
    pub fn start(call: C) -> Self {
        Self { core: Core { active: ActiveCall::new(call), sleep: TokioSleep } }
    }
}

impl<C: Call, S> Executor<C, S> {
    /// Sleeps with a function of yours, for other async runtimes than tokio's and for tests: it is called once
    /// for each wait, and once for each attempt that has a time limit and is not ready at once.
    #[must_use]
    #[inline]
    pub fn sleep<F: SleepFunction>(self, sleep: F) -> Executor<C, F::Sleep> {
        Executor { core: Core { active: self.core.active, sleep: sleep.sleep() } }
    }

    /// The same for the attribute.
    #[doc(hidden)]
    #[must_use]
    #[inline]
    pub fn __sleep<F: AsyncSleep<Kind>, Kind>(self, sleep: F) -> Executor<C, F::Sleep> {
        Executor { core: Core { active: self.core.active, sleep: sleep.sleep() } }
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
    pub fn attempt<F>(&mut self, future: F) -> AttemptFuture<'_, C, S, F, Limited<F::Output>>
    where
        F: Future<Output: FromTimedOut>,
    {
        AttemptFuture::new(&mut self.core, future, limited())
    }

    /// [`attempt`](Self::attempt) for an outcome that cannot be made from [`TimedOut`](crate::TimedOut): nothing cuts
    /// the attempt off. A deadline still ends the retrying; an attempt timeout has no effect.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the attempt.
    #[inline]
    pub fn attempt_to_end<F: Future>(&mut self, future: F) -> AttemptFuture<'_, C, S, F, Unlimited> {
        AttemptFuture::new(&mut self.core, future, Unlimited)
    }
}

impl<C: Call, S: TimerSlot> Executor<C, S> {
    /// Runs one attempt of an annotated function, which always reports how it ended.
    #[doc(hidden)]
    #[inline(always)]
    pub fn run<F: Future, K: RunAttempt<S, F::Output>>(&mut self, future: F, limit: K) -> K::Attempt<'_, C, F> {
        limit.run(&mut self.core, future)
    }

    /// [`attempt_to_end`](Self::attempt_to_end) for a function that blocks.
    #[inline]
    pub fn attempt_blocking<O>(&mut self, body: impl FnOnce() -> O) -> O {
        self.core.begin();
        let outcome = self.core.in_attempt(false, body);
        self.core.end();
        outcome
    }

    /// The attempt that runs, or is about to.
    #[must_use]
    #[inline]
    pub fn current(&self) -> Attempt {
        let ActiveCall { call, state } = &self.core.active;
        situation::attempt(state, call)
    }
}

/// After an attempt.
impl<C: Call, S: TimerSlot> Executor<C, S> {
    /// Says that the call succeeded, and gives the value back.
    #[inline]
    pub fn succeed<T>(&mut self, value: T) -> T {
        self.core.succeed();
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
        match self.core.fail(Verdict::Retry(failure), &error) {
            Some(delay) => Ok(Pause::new(&mut self.core, delay, NoCleanup)),
            None => Err(error),
        }
    }

    /// Says that this error ends the call, and gives it back.
    #[inline]
    pub fn fail<E: Display>(&mut self, error: E) -> E {
        self.core.fail(Verdict::GiveUp(Failure::new(Class::Unknown)), &error);
        error
    }

    /// What follows this outcome: `Break` with the outcome itself if it is a success or there is no further
    /// attempt, else `Continue` with the pause to await before the next one.
    ///
    /// `classifier` says what the outcome is worth: a `&`[`Condition`](crate::Condition) for outcomes that implement
    /// [`Outcome`](crate::outcome::Outcome), or the [`Verdict`] that [`verdict!`](crate::verdict) gives for any outcome.
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
    pub fn next<O>(
        &mut self,
        outcome: O,
        classifier: impl Classifier<O>,
    ) -> ControlFlow<O, Pause<'_, C, S, DrainBody>> {
        let Classified { verdict, via, reason } = classifier.classify(&outcome);
        self.core.response_came_over(via);
        if verdict == Verdict::Done {
            return ControlFlow::Break(self.succeed(outcome));
        }
        let fallback = FallbackReason::of(verdict);
        match self.core.fail(verdict, reason.unwrap_or(&fallback)) {
            Some(delay) => {
                let cleanup = classifier.discard(outcome, self.core.active.call.policy().drain_limits());
                ControlFlow::Continue(Pause::new(&mut self.core, delay, cleanup))
            }
            None => ControlFlow::Break(outcome),
        }
    }
}

/// What the attribute asks.
impl<F, P, O, N, S> Executor<MacroCall<F, P, O, N>, S>
where
    F: Fn() -> &'static CallSpec,
    MacroCall<F, P, O, N>: Call,
    S: TimerSlot,
{
    /// Which outcomes are worth another attempt.
    #[doc(hidden)]
    #[inline(always)]
    pub fn condition(&self) -> &'static Condition {
        self.core.active.call.condition()
    }

    /// Classifies an outcome that is not a plain success. Returns the next attempt, if there is one.
    #[doc(hidden)]
    #[inline]
    pub fn decide(
        &mut self,
        classification: Classification,
        reason: &dyn Display,
    ) -> Option<NextAttempt<'_, MacroCall<F, P, O, N>, S>> {
        let condition = self.condition();
        let ActiveCall { call, state } = &mut self.core.active;
        let delay = react::outcome(state, call, condition, classification, reason)?;
        Some(NextAttempt::new(&mut self.core, delay))
    }
}

impl<C: Call + fmt::Debug, S> fmt::Debug for Executor<C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor")
            .field("call", &self.core.active.call)
            .field("attempt", &self.core.active.state.number())
            .finish_non_exhaustive()
    }
}
