//! The public face of the engine: an executor decides, for one call, whether and when to retry.
//!
//! It is generic and inlined, because every call passes it. What only a failing or observed call needs is in `react`.

use core::fmt;
use std::borrow::Cow;

use crate::classify::condition::Condition;
use crate::classify::outcome_kind::OutcomeKind;
use crate::classify::timed_out::FromTimedOut;
use crate::classify::verdict::Classification;
use crate::engine::attempt_future::AttemptFuture;
use crate::engine::call::{Call, History};
use crate::engine::cannot_cut::warn_if_blocking;
use crate::engine::core::{ActiveCall, Core, state_at_start};
use crate::engine::hooks::Hooks;
use crate::engine::in_span::{Begun, InSpan, in_span};
use crate::engine::macro_call::MacroCall;
use crate::engine::manual_call::{IntoPolicy, ManualCall};
use crate::engine::pause::NextAttempt;
use crate::engine::react;
use crate::engine::situation;
use crate::engine::state::CallState;
use crate::engine::time_limit::{Limited, TimeLimit, Unlimited, limited};
use crate::observe::event::Observer;
#[cfg(any(feature = "metrics", feature = "report"))]
use crate::observe::stats::named::CallStats;
use crate::policy::attempt::Attempt;
use crate::policy::budget::Budget;
use crate::policy::builder::Policy;
use crate::util::clock::Instant;
use crate::util::shared::Shared;
use crate::util::sleep::{AsyncSleep, Sleep, SleepFunction, TimerSlot, TokioSleep};

/// Decides, for one call, whether and when to retry. For hand-written loops.
///
/// ```
/// use retry_runtime::{Executor, Policy};
/// use std::time::Duration;
/// # use retry_runtime::TimedOut;
/// # struct Order; struct Receipt;
/// # #[derive(Debug)] struct Error;
/// # impl std::fmt::Display for Error { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("conflict") } }
/// # impl From<TimedOut> for Error { fn from(_: TimedOut) -> Self { Self } }
/// # impl Error { fn is_conflict(&self) -> bool { true } }
/// # async fn push(_: &Order) -> Result<Receipt, Error> { Ok(Receipt) }
///
/// const POLICY: Policy = Policy::exponential(Duration::from_millis(200))
///     .attempts(5)
///     .deadline(Duration::from_secs(10));
///
/// async fn push_order(order: &Order) -> Result<Receipt, Error> {
///     let mut retry = Executor::new(&POLICY).name("push order");
///     loop {
///         match retry.attempt(push(order)).await {
///             Ok(receipt) => break Ok(retry.succeed(receipt)),
///             Err(error) if error.is_conflict() => retry.pause(error)?.await,
///             Err(error) => break Err(retry.fail(error)),
///         }
///     }
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(push_order(&Order)).unwrap();
/// ```
///
/// The loop runs each attempt through the executor, and reports how it ended. `pause` returns the error when the policy allows no further attempt, so `?` ends
/// the call with that error. The error type needs `Display` and, for [`attempt`](Self::attempt), `From<`[`TimedOut`](crate::TimedOut)`>`, even if the policy
/// has no time limit. The [guide](crate::guide::loops) has more loops.
///
/// | to | call |
/// |---|---|
/// | run an attempt | [`attempt`](Self::attempt) |
/// | run it without a time limit, or without `From<TimedOut>` | [`attempt_to_end`](Self::attempt_to_end) |
/// | run an attempt of blocking code | [`attempt_blocking`](Self::attempt_blocking) |
/// | report a success | [`succeed`](Self::succeed) |
/// | retry after an error | [`pause`](Self::pause), then await the pause |
/// | retry with the delay that a server asks for | [`pause_for`](Self::pause_for) |
/// | retry after a delay that the loop chooses | [`pause_after`](Self::pause_after) |
/// | retry, with a hook before the wait | [`pause_with`](Self::pause_with) |
/// | retry, and wait without the executor | [`next_delay`](Self::next_delay) |
/// | end the call with an error | [`fail`](Self::fail) |
/// | decide as the attribute does, for responses too | [`next`](Self::next), [`next_with`](Self::next_with) |
/// | ask again for a value that is not ready | [`not_ready`](Self::not_ready) |
/// | read the number of the attempt and the time left | [`current`](Self::current), [`started`](Self::started) |
/// | start counting anew when the call makes progress | [`reset`](Self::reset) |
/// | count attempts that were made elsewhere | [`charge`](Self::charge) |
///
/// # One executor for each call
///
/// The clock of the deadline starts with the executor, so create one for each call. A call that makes progress, such as a stream, keeps its executor and
/// calls [`reset`](Self::reset). An executor that owns its policy can be kept in a struct: see [`new`](Self::new).
///
/// # Other runtimes
///
/// The executor waits with tokio's timer. [`sleep`](Self::sleep) takes another one. Blocking code waits with
/// [`Pause::block`](crate::executor::Pause::block).
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
///
/// # Type parameters
///
/// With tokio's timer, a hand-written loop needs neither: write `Executor`, or `Executor<ManualCall<'a>>` if it borrows its policy. `C` is the kind of
/// call, which is [`ManualCall`] for hand-written loops. `S` is the timer: [`CustomSleep`](crate::sleep::CustomSleep) with
/// [`sleep`](Self::sleep). The guide shows [the type to write](crate::guide::libraries#a-kept-executor-with-your-own-timer).
pub struct Executor<C: Call = ManualCall<'static>, S = TokioSleep> {
    pub(crate) core: Core<C, S>,
}

impl<'a> Executor<ManualCall<'a>> {
    /// Creates the executor of one call under this policy: a `&Policy`, which it borrows, or a `Policy` or an `Arc<Policy>`, which it copies
    /// into one allocation. The clock of the deadline starts now.
    ///
    /// If it borrows nothing, or only statics, it is `'static`, `Send` and `Sync`, and a struct can keep it:
    ///
    /// ```
    /// # use retry_runtime::{Executor, Policy};
    /// struct Upload {
    ///     retry: Executor,
    /// }
    ///
    /// fn upload(policy: Policy, part: u32) -> Upload {
    ///     Upload { retry: Executor::new(policy).name(format!("upload part {part}")) }
    /// }
    /// # upload(Policy::new(), 1);
    /// ```
    ///
    /// Most calls succeed without asking how much time has passed. So the clock of a call starts later if the policy has no deadline and neither
    /// a decorrelated nor a custom backoff: when its first attempt is first pending or fails, whichever is earlier, or when a blocking attempt starts.
    /// An observer, or a sink for events, starts it at once. Until then, [`Attempt::elapsed`] counts from the call of
    /// [`current`](Self::current) that returned the attempt.
    #[must_use]
    #[inline]
    pub fn new(mut policy: impl IntoPolicy<'a>) -> Self {
        match policy.borrowed() {
            Some(policy) => Self::start(ManualCall::new(policy, None, Some(History::of_loop(policy)))),
            None => Self::owning(policy.copied()),
        }
    }

    #[cold]
    fn owning(policy: Policy) -> Self {
        let mut call = ManualCall::new(const { &Policy::new() }, None, Some(History::of_loop(&policy)));
        call.set_policy(policy);
        Self::start(call)
    }
}

impl<'a, S> Executor<ManualCall<'a>, S> {
    /// The name in events, borrowed or owned. Defaults to `retry`.
    #[must_use]
    #[inline]
    pub fn name(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        self.core.active.call.set_name(name.into());
        self.core.active.keep_state();
        self
    }

    /// Pays for the retries from this budget, instead of the policy's: a `&Budget` or an `Arc<Budget>`. A policy can only name a budget in a
    /// `static`; this one may belong to a client, a host or a test.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use retry_runtime::{Budget, Executor, Policy};
    /// struct Client {
    ///     budget: Arc<Budget>,
    /// }
    ///
    /// impl Client {
    ///     fn retry(&self) -> Executor {
    ///         Executor::new(Policy::new()).budget(self.budget.clone())
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn budget(mut self, budget: impl Into<Shared<'a, Budget>>) -> Self {
        self.core.active.call.set_budget(budget.into());
        self.core.active.keep_state();
        self
    }

    /// Counts the call in these statistics, and takes their name.
    #[cfg(any(feature = "metrics", feature = "report"))]
    #[must_use]
    pub fn stats(mut self, stats: &'static CallStats) -> Self {
        self.core.active.call.set_stats(Some(stats));
        self.name(stats.name())
    }

    /// Sends the events to this observer, in addition to `tracing`.
    #[must_use]
    pub fn observer(mut self, observer: &'a dyn Observer) -> Self {
        self.core.active.call.set_observer(Some(observer));
        self.core.active.state.observe();
        self
    }
}

impl<C: Call> Executor<C> {
    #[doc(hidden)]
    #[inline]
    pub fn start(call: C) -> Self {
        // Built in one place: a call may contain a policy of 200 bytes, and each constructor in between would move it.
        let state = state_at_start(&call);
        Self { core: Core { active: ActiveCall { call, state }, sleep: TokioSleep } }
    }
}

impl<'a> Executor<ManualCall<'a>> {
    /// The executor of a call that has not started.
    pub(crate) const fn unobserved(call: ManualCall<'a>) -> Self {
        Self { core: Core { active: ActiveCall { call, state: CallState::none() }, sleep: TokioSleep } }
    }
}

impl<S> Executor<ManualCall<'_>, S> {
    /// Starts the call, and its clock.
    pub(crate) fn start_call(&mut self) {
        let ActiveCall { call, state } = &mut self.core.active;
        *state = state_at_start(call);
        call.set_history(Some(History::new()));
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
    #[inline]
    pub fn run<F: Future>(&mut self, future: F) -> InSpan<'_, C, F> {
        self.core.begin();
        in_span(&self.core.active, future)
    }

    /// Begins an attempt whose future is created in its span.
    #[doc(hidden)]
    #[inline]
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

    /// Runs one attempt of a blocking function, without a time limit as [`attempt_to_end`](Self::attempt_to_end) does. If the policy has an
    /// attempt timeout and does not turn its events off, the first such attempt of the process emits a warning.
    #[inline]
    pub fn attempt_blocking<O>(&mut self, body: impl FnOnce() -> O) -> O {
        warn_if_blocking(&self.core.active.call);
        self.core.begin();
        // A blocking body waits unseen.
        self.core.start_clock();
        let outcome = self.core.in_attempt::<Unlimited, _>(body);
        self.core.end();
        outcome
    }

    /// The attempt that runs or has just ended. After its outcome has been reported, for example by `pause`, this is the next one.
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

/// For annotated functions.
impl<P, O, N, S> Executor<MacroCall<P, O, N>, S>
where
    MacroCall<P, O, N>: Call,
    S: TimerSlot,
{
    /// The condition of the attribute.
    #[doc(hidden)]
    #[inline]
    pub fn condition(&self) -> &'static Condition {
        self.core.active.call.condition()
    }

    /// Reports the outcome of an attempt if it is a plain success. The outcome is only looked at, so it can stay in registers.
    #[doc(hidden)]
    #[inline]
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
        let classification = kind.classification(outcome, self.condition());
        self.decide(outcome, classification, kind, &mut Hooks::none())
    }

    #[inline(always)]
    pub(crate) fn decide<T, K: OutcomeKind<T>>(
        &mut self,
        outcome: &T,
        classification: Classification,
        kind: K,
        hooks: &mut Hooks<'_>,
    ) -> Option<NextAttempt<'_, MacroCall<P, O, N>, S, K>> {
        let condition = self.condition();
        let ActiveCall { call, state } = &mut self.core.active;
        let delay = react::outcome(state, call, condition, classification, &kind.text(outcome), hooks)?;
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
