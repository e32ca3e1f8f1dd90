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
use crate::classify::outcome_kind::OutcomeKind;
use crate::classify::timed_out::FromTimedOut;
use crate::classify::verdict::Verdict;
use crate::engine::attempt_future::AttemptFuture;
use crate::engine::call::{Call, History, ManualCall};
use crate::engine::core::{ActiveCall, Core};
use crate::engine::in_span::{Begun, InSpan, in_span};
use crate::engine::macro_call::MacroCall;
use crate::engine::pause::{NextAttempt, Pause};
use crate::engine::react;
use crate::engine::situation;
use crate::engine::state::CallState;
use crate::engine::time_limit::{Limited, TimeLimit, Unlimited, limited};
use crate::observe::event::Observer;
use crate::observe::reason::FallbackReason;
use crate::observe::sink;
#[cfg(any(feature = "metrics", feature = "report"))]
use crate::observe::stats::named::CallStats;
use crate::observe::stats::named::NO_OWN_STATS;
use crate::policy::attempt::Attempt;
use crate::policy::builder::Policy;
use crate::util::clock::Instant;
use crate::util::sleep::{AsyncSleep, Sleep, SleepFunction, TimerSlot, TokioSleep};

/// Decides, for one call, whether and when to retry. For hand-written loops; the attribute, [`Policy::run`], requests and the tower
/// policy use it too.
///
/// Create one for each call. Run each attempt through [`attempt`](Self::attempt), and report how it ended with
/// [`succeed`](Self::succeed), with [`pause`](Self::pause) to retry, or with [`fail`](Self::fail) to give up. Alternatively,
/// [`next`](Self::next) classifies the outcome as the attribute does.
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
/// `C` is the kind of call, which is [`ManualCall`] for hand-written loops. `S` is the timer.
///
/// # Cancel safety
///
/// The executor and the futures of its attempts and pauses can be dropped at any time: nothing is lost but the attempt that was
/// running. An executor that is dropped during an attempt or a pause, or between them, emits the event `Cancelled`. If it is dropped before the retry
/// has started, it returns the retry's tokens to the [`Budget`](crate::Budget).
///
/// The executor does not see attempts that the loop makes without it, so the loop has to report the outcome of each of these. A loop may
/// drop an attempt, with `select!` for example, and continue. Such an attempt does not count, unless the loop reports its failure with
/// [`pause`](Self::pause).
pub struct Executor<C: Call = ManualCall<'static>, S = TokioSleep> {
    pub(crate) core: Core<C, S>,
}

impl<'a> Executor<ManualCall<'a>> {
    /// Creates the executor of one call under this policy. The clock of the deadline starts now.
    ///
    /// Most calls succeed without asking how much time has passed. So the clock of a call starts later if the policy has no deadline and neither
    /// a decorrelated nor a custom backoff: when its first attempt is first pending or fails, whichever is earlier, or when a blocking attempt starts.
    /// An observer, or a sink for events, starts it at once. Until then, [`Attempt::elapsed`] counts from the call of
    /// [`current`](Self::current) that returned the attempt.
    #[must_use]
    #[inline]
    pub fn new(policy: &'a Policy) -> Self {
        Self::start(ManualCall {
            policy,
            name: "retry",
            observer: None,
            // Any loop may look at its attempts.
            history: Some(if policy.needs_history() { History::new() } else { History::without_clock() }),
            stats: NO_OWN_STATS,
        })
    }
}

impl<'a, S> Executor<ManualCall<'a>, S> {
    /// The name in events. Defaults to `retry`.
    #[must_use]
    pub fn name(mut self, name: &'a str) -> Self {
        self.core.active.call.name = name;
        self
    }

    /// Counts the call in these statistics, and takes their name.
    #[cfg(any(feature = "metrics", feature = "report"))]
    #[must_use]
    pub fn stats(mut self, stats: &'static CallStats) -> Self {
        self.core.active.call.stats = Some(stats);
        self.name(stats.name())
    }

    /// Sends the events to this observer, in addition to `tracing`.
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
        // Built in one place: a call may contain a policy of 200 bytes, and each constructor in between would move it.
        let mut state = CallState::none();
        if call.observer().is_some() || sink::is_enabled() {
            state.observe();
        }
        Self { core: Core { active: ActiveCall { call, state }, sleep: TokioSleep } }
    }
}

impl<C: Call, S> Executor<C, S> {
    /// Waits with this function instead of tokio's timer, for other async runtimes and for tests. It is called once for each pause, and
    /// once for each attempt that has a time limit and is not ready at once.
    #[must_use]
    #[inline]
    pub fn sleep<F: SleepFunction>(self, sleep: F) -> Executor<C, F::Sleep> {
        Executor { core: Core { active: self.core.active, sleep: sleep.sleep() } }
    }

    /// [`sleep`](Self::sleep) for the attribute, which needs another trait for a readable error.
    #[doc(hidden)]
    #[must_use]
    #[inline]
    pub fn __sleep<F: AsyncSleep<Kind>, Kind>(self, sleep: F) -> Executor<C, F::Sleep> {
        Executor { core: Core { active: self.core.active, sleep: sleep.sleep() } }
    }
}

/// Running an attempt.
impl<C: Call, S: Sleep> Executor<C, S> {
    /// Runs one attempt. With the `tracing` feature, the attempt has its own span. If the policy has a deadline or an attempt timeout,
    /// an attempt that outlives it is dropped, and its outcome is an error made from [`TimedOut`](crate::TimedOut).
    ///
    /// # Panics
    ///
    /// Panics with tokio's timer if an attempt with a time limit is pending outside a tokio runtime whose time is enabled.
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

    /// Runs one attempt without a time limit, for outcomes that cannot be made from [`TimedOut`](crate::TimedOut). A deadline still
    /// ends the retries. An attempt timeout has no effect.
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
    ///
    /// As bare as can be, because every byte and every instruction around it is paid for by calls that succeed.
    #[doc(hidden)]
    #[inline(always)]
    pub fn run<F: Future>(&mut self, future: F) -> InSpan<'_, C, F> {
        self.core.begin();
        in_span(&self.core.active, future)
    }

    /// Begins an attempt whose future is created in its span.
    #[doc(hidden)]
    #[inline(always)]
    pub fn begin(&mut self) -> Begun<'_, C> {
        self.core.begin();
        Begun::new(&self.core.active)
    }

    /// [`run`](Self::run) with a time limit, or with a context for the calls inside.
    #[doc(hidden)]
    #[inline]
    pub fn run_limited<F: Future, K: TimeLimit<S, F::Output>>(
        &mut self,
        future: F,
        limit: K,
    ) -> AttemptFuture<'_, C, S, F, K> {
        AttemptFuture::at_once(&mut self.core, future, limit)
    }

    /// Runs one attempt of a blocking function, without a time limit as [`attempt_to_end`](Self::attempt_to_end) does.
    #[inline]
    pub fn attempt_blocking<O>(&mut self, body: impl FnOnce() -> O) -> O {
        self.core.begin();
        // A blocking body waits unseen.
        self.core.start_clock();
        let outcome = self.core.in_attempt(false, body);
        self.core.end();
        outcome
    }

    /// The current attempt. Between two attempts, this is the next one.
    // By value: a reference would borrow the executor, so the loop could not pass it to the attempt, which borrows the
    // executor exclusively.
    #[must_use]
    #[inline]
    pub fn current(&self) -> Attempt {
        let ActiveCall { call, state } = &self.core.active;
        // Before the clock of the call starts, no time has passed that it would count.
        let started = situation::started(state, call).unwrap_or_else(Instant::now);
        situation::attempt(state, call, Some(started))
    }
}

/// Reporting an outcome.
impl<C: Call, S: TimerSlot> Executor<C, S> {
    /// Reports that the call succeeded, and returns the value.
    #[inline]
    pub fn succeed<T>(&mut self, value: T) -> T {
        self.core.succeed();
        value
    }

    /// Reports that the attempt failed with this error, and decides whether to retry. Returns the pause to await before the next
    /// attempt.
    ///
    /// The class of the error does not matter: every error is retried. [`next`](Self::next) classifies the outcome first, and also accepts
    /// responses that are retried. The decision is made when this method is called, so the pause does not keep the error.
    ///
    /// After [`succeed`](Self::succeed), it takes the success back: the failure and the pause are emitted next.
    ///
    /// # Errors
    ///
    /// Returns the error if no further attempt follows: no attempt is left, the delay does not fit before the deadline, the budget has no tokens, a
    /// nested call has already retried the failure, or retries are switched off.
    #[inline]
    pub fn pause<E: Display>(&mut self, error: E) -> Result<Pause<'_, C, S>, E> {
        self.pause_for(error, Failure::new(Class::Unknown))
    }

    /// [`pause`](Self::pause) with a description of the failure. A delay that the server asked for is honored, up to the policy's
    /// [`retry_after`](Policy::retry_after).
    ///
    /// # Errors
    ///
    /// Returns the error if there will be no further attempt.
    #[inline]
    pub fn pause_for<E: Display>(&mut self, error: E, failure: Failure) -> Result<Pause<'_, C, S>, E> {
        match self.core.fail(Verdict::Retry(failure), &error) {
            Some(delay) => Ok(Pause::new(&mut self.core, delay, NoCleanup)),
            None => Err(error),
        }
    }

    /// Reports that this error ends the call, and returns it.
    #[inline]
    pub fn fail<E: Display>(&mut self, error: E) -> E {
        self.core.fail(Verdict::GiveUp(Failure::new(Class::Unknown)), &error);
        error
    }

    /// Classifies an outcome, reports it, and decides whether to retry. Returns `Break` with the outcome if it is a success or if there is
    /// no further attempt. Otherwise returns `Continue` with the pause to await before the next attempt.
    ///
    /// The classifier is a `&`[`Condition`](crate::Condition) for outcomes that implement [`Outcome`](crate::outcome::Outcome), or a
    /// [`Verdict`] from [`verdict!`](crate::verdict) for any other outcome.
    ///
    /// With a condition, a response that is retried (in a `Result` or an `Option`) is drained during the pause, as in an annotated
    /// function, so that its connection can be reused. With a verdict, the response is dropped.
    ///
    /// A verdict has no text, so the reason in the events is the status or the class instead of the error's message.
    ///
    /// `verdict!` borrows the outcome, which `next` consumes. So `let verdict = verdict!(&outcome);` needs its own line.
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

/// For annotated functions.
impl<P, O, N, S> Executor<MacroCall<P, O, N>, S>
where
    MacroCall<P, O, N>: Call,
    S: TimerSlot,
{
    /// The condition of the attribute.
    #[doc(hidden)]
    #[inline(always)]
    pub fn condition(&self) -> &'static Condition {
        self.core.active.call.condition()
    }

    /// Reports the outcome of an attempt if it is a plain success. The outcome is only looked at, so it can stay in registers.
    #[doc(hidden)]
    #[inline(always)]
    pub fn succeeds<T>(&mut self, outcome: &T, kind: impl OutcomeKind<T>) -> bool {
        let success = kind.is_plain_success(outcome);
        if success {
            self.core.succeed();
        }
        success
    }

    /// Reports any other outcome, and decides whether to retry.
    #[doc(hidden)]
    #[cold]
    #[inline(never)]
    pub fn after_failure<T, K: OutcomeKind<T>>(
        &mut self,
        outcome: &T,
        mut kind: K,
    ) -> Option<NextAttempt<'_, MacroCall<P, O, N>, S, K>> {
        let condition = self.condition();
        let classification = kind.classification(outcome, condition);
        let ActiveCall { call, state } = &mut self.core.active;
        let delay = react::outcome(state, call, condition, classification, &kind.text(outcome))?;
        Some(NextAttempt::new(&mut self.core, delay, kind))
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
