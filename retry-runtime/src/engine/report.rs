//! The reports of a hand-written loop to its executor, and the decisions that it gets.

use core::fmt::Display;
use core::ops::ControlFlow;
use core::time::Duration;

use crate::classify::class::Class;
use crate::classify::drain::{DrainBody, NoCleanup};
use crate::classify::failure::Failure;
use crate::classify::not_ready::NotReady;
use crate::classify::outcome::{Classified, Classifier};
use crate::classify::result_like::ResultLike;
use crate::classify::verdict::{REFUSED, Verdict};
use crate::engine::call::{Call, History};
use crate::engine::core::{ActiveCall, state_at_start};
use crate::engine::executor::Executor;
use crate::engine::hooks::{Hooks, NextDelay};
use crate::engine::loop_error::LoopError;
use crate::engine::manual_call::ManualCall;
use crate::engine::pause::Pause;
use crate::engine::retrying::{HookResult, Retrying};
use crate::engine::situation;
use crate::observe::reason::FallbackReason;
use crate::policy::attempt::Attempt;
use crate::util::clock::{Instant, StdInstant, into_std};
use crate::util::sleep::TimerSlot;

const UNKNOWN: Failure = Failure::new(Class::Unknown);

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
    /// The class of the error does not matter: every error is retried, even if the server wants no retry. [`next`](Self::next) classifies the
    /// outcome first, and also accepts responses that are retried. The decision is made when this method is called, so the pause does not keep the error.
    ///
    /// Events show the error by its `Display`, or by its `Debug` with [`ByDebug`](crate::executor::ByDebug) around it.
    ///
    /// After [`succeed`](Self::succeed), it takes the success back: the failure and the pause are emitted next.
    ///
    /// # Errors
    ///
    /// Returns the error if no further attempt follows: no attempt is left, the delay does not fit before the deadline, the budget has no tokens, a
    /// nested call has already retried the failure, or retries are switched off.
    #[inline]
    pub fn pause<E: LoopError>(&mut self, error: E) -> Result<Pause<'_, C, S>, E::Error> {
        self.pause_for(error, UNKNOWN)
    }

    /// [`pause`](Self::pause) with a description of the failure. A delay that the server asked for is honored, up to the policy's
    /// [`retry_after`](crate::Policy::retry_after), and so is its request [not to retry](Failure::no_retry).
    ///
    /// # Errors
    ///
    /// Returns the error if there will be no further attempt.
    #[inline]
    pub fn pause_for<E: LoopError>(&mut self, error: E, failure: Failure) -> Result<Pause<'_, C, S>, E::Error> {
        match self.retry(&error, failure, &mut Hooks::none()) {
            Some(delay) => Ok(self.pause_of(delay)),
            None => Err(error.into_error()),
        }
    }

    /// [`pause`](Self::pause) with a delay that the loop chooses, instead of the policy's schedule. Jitter, the cap and a server's delay do not
    /// apply to it. The policy's other limits do: attempts, deadline, budget. Events name the loop as the source of the delay
    /// ([`DelaySource::Chosen`](crate::event::DelaySource::Chosen)).
    ///
    /// # Errors
    ///
    /// Returns the error if there will be no further attempt.
    #[inline]
    pub fn pause_after<E: LoopError>(&mut self, error: E, delay: Duration) -> Result<Pause<'_, C, S>, E::Error> {
        let mut hooks = Hooks { delay: NextDelay::Chosen(delay), on_retry: None };
        match self.retry(&error, UNKNOWN, &mut hooks) {
            Some(delay) => Ok(self.pause_of(delay)),
            None => Err(error.into_error()),
        }
    }

    /// [`pause`](Self::pause) with a hook that is called before the wait, if there will be another attempt. It can end the call: see
    /// [`Retrying`].
    ///
    /// ```
    /// # use retry_runtime::{Executor, Policy};
    /// # async fn read() -> std::io::Result<String> { Ok(String::new()) }
    /// # async fn f() -> std::io::Result<String> {
    /// let mut retry = Executor::new(Policy::new());
    /// loop {
    ///     match retry.attempt(read()).await {
    ///         Ok(text) => break Ok(retry.succeed(text)),
    ///         Err(error) => retry.pause_with(error, |retrying| eprintln!("{retrying}"))?.await,
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the error if there will be no further attempt.
    pub fn pause_with<E, R>(
        &mut self,
        error: E,
        on_retry: impl FnOnce(&Retrying<'_, (), E::Error>) -> R,
    ) -> Result<Pause<'_, C, S>, E::Error>
    where
        E: LoopError,
        R: HookResult<Result<(), E::Error>>,
    {
        let mut hook = Once::new(Err(error.error()), on_retry);
        let delay = hook.decide(|hooks| self.retry(&error, UNKNOWN, hooks));
        match (delay, hook.ending) {
            (Some(delay), _) => Ok(self.pause_of(delay)),
            (None, Some(Err(other))) => Err(other),
            (None, _) => Err(error.into_error()),
        }
    }

    /// Reports that the attempt failed with this error, and decides whether to retry. Returns the delay before the next attempt, for code that
    /// waits by itself, such as an implementation of `Future` or `Stream` that owns its timer.
    ///
    /// To let the executor create the timer, use [`Pause::into_owned`]. A simulation does not shorten the returned delay.
    ///
    /// # Errors
    ///
    /// Returns the error if there will be no further attempt.
    #[inline]
    pub fn next_delay<E: LoopError>(&mut self, error: E) -> Result<Duration, E::Error> {
        match self.retry(&error, UNKNOWN, &mut Hooks::none()) {
            Some(delay) => Ok(delay),
            None => Err(error.into_error()),
        }
    }

    /// Reports that the attempt succeeded, but that its value is not ready yet. Returns the pause to await before asking again.
    ///
    /// That is not a failure: it is emitted at debug level, takes no tokens from the budget, and is not counted as a retry.
    ///
    /// # Errors
    ///
    /// Returns [`NotReady`] if there will be no further attempt.
    #[inline]
    pub fn not_ready(&mut self) -> Result<Pause<'_, C, S>, NotReady> {
        let attempts = self.core.active.state.number();
        match self.core.fail(Verdict::NotReady(REFUSED), &"not ready yet") {
            Some(delay) => Ok(self.pause_of(delay)),
            None => {
                self.remember_end(true);
                Err(NotReady::after(attempts))
            }
        }
    }

    /// Reports that this error is not worth another attempt, and returns it. Events name the reason
    /// [`Excluded`](crate::event::GiveUp::Excluded).
    ///
    /// To end the call for any other reason, such as a last attempt, use [`pause`](Self::pause): it reports that reason, and returns the
    /// error. A report after that changes nothing.
    #[inline]
    pub fn fail<E: LoopError>(&mut self, error: E) -> E::Error {
        self.core.fail(Verdict::GiveUp(UNKNOWN), &error.text());
        self.remember_end(true);
        error.into_error()
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
        let classified = classifier.classify(&outcome);
        match self.decide_on(classified, &mut Hooks::none()) {
            Some(delay) => ControlFlow::Continue(self.pause_discarding(outcome, &classifier, delay)),
            None => {
                self.remember_end(classified.verdict != Verdict::Done);
                ControlFlow::Break(outcome)
            }
        }
    }

    /// [`next`](Self::next) with a hook that is called before the wait, if there will be another attempt. It can end the call: see
    /// [`Retrying`].
    pub fn next_with<O, R>(
        &mut self,
        outcome: O,
        classifier: impl Classifier<O>,
        on_retry: impl FnOnce(&Retrying<'_, O::Value, O::Error>) -> R,
    ) -> ControlFlow<O, Pause<'_, C, S, DrainBody>>
    where
        O: ResultLike,
        R: HookResult<O>,
    {
        let classified = classifier.classify(&outcome);
        let (delay, ending) = match sides(&outcome) {
            None => (self.decide_on(classified, &mut Hooks::none()), None),
            Some(failed) => {
                let mut hook = Once::new(failed, on_retry);
                (hook.decide(|hooks| self.decide_on(classified, hooks)), hook.ending)
            }
        };
        match delay {
            Some(delay) => ControlFlow::Continue(self.pause_discarding(outcome, &classifier, delay)),
            None => {
                self.remember_end(classified.verdict != Verdict::Done);
                ControlFlow::Break(ending.unwrap_or(outcome))
            }
        }
    }

    /// Reports a classified outcome. Returns the delay before the next attempt, if there is one.
    pub(crate) fn decide_on(&mut self, classified: Classified<'_>, hooks: &mut Hooks<'_>) -> Option<Duration> {
        let Classified { verdict, via, reason } = classified;
        self.core.response_came_over(via);
        if verdict == Verdict::Done {
            self.core.succeed();
            return None;
        }
        let fallback = FallbackReason::of(verdict);
        self.core.fail_with(verdict, reason.unwrap_or(&fallback as &dyn Display), hooks)
    }

    /// Reports an error that is worth a retry. Returns the delay before the next attempt, if there is one.
    #[inline]
    fn retry(&mut self, error: &impl LoopError, failure: Failure, hooks: &mut Hooks<'_>) -> Option<Duration> {
        let delay = self.core.fail_with(Verdict::Retry(failure), &error.text(), hooks);
        self.remember_end(delay.is_none());
        delay
    }

    #[inline]
    fn remember_end(&mut self, has_ended: bool) {
        if has_ended {
            self.core.active.state.remember_end();
        }
    }

    #[inline(always)]
    fn pause_of(&mut self, delay: Duration) -> Pause<'_, C, S> {
        Pause::new(&mut self.core, delay, NoCleanup)
    }

    pub(crate) fn pause_discarding<O>(
        &mut self,
        outcome: O,
        classifier: &impl Classifier<O>,
        delay: Duration,
    ) -> Pause<'_, C, S, DrainBody> {
        let cleanup = classifier.discard(outcome, self.core.active.call.policy().drain_limits());
        Pause::new(&mut self.core, delay, cleanup)
    }
}

/// Counting and timing.
impl<S: TimerSlot> Executor<ManualCall<'_>, S> {
    /// Starts counting anew: the next failure is the first one again, for the number of attempts, the schedule and the deadline.
    ///
    /// For a long call that makes progress, such as a stream: reset it when an item arrives. If there have been failures since the start or the last
    /// reset, the call has recovered from them, and that is reported as [`succeed`](Self::succeed) would. Otherwise only the clock starts again.
    ///
    /// The deadline counts from there. A stream that may be quiet for longer than that needs a policy without a deadline.
    ///
    /// It may also be called after the call has given up, for a new call with the same executor. No success is reported then. Without `reset`, the
    /// number of the attempt stays at the limit: the next failure ends the call at once.
    ///
    /// ```
    /// # use retry_runtime::{Executor, Policy};
    /// # struct Item; struct Stream;
    /// # impl Stream { async fn next(&mut self) -> std::io::Result<Option<Item>> { Ok(None) } }
    /// # async fn open() -> std::io::Result<Stream> { Ok(Stream) }
    /// # async fn f() -> std::io::Result<()> {
    /// let mut retry = Executor::new(Policy::new().attempts(3));
    /// let mut stream = open().await?;
    /// loop {
    ///     match retry.attempt(stream.next()).await {
    ///         Ok(None) => break Ok(retry.succeed(())),
    ///         Ok(Some(_item)) => retry.reset(),
    ///         Err(error) => {
    ///             retry.pause(error)?.await;
    ///             stream = open().await?;
    ///         }
    ///     }
    /// }
    /// # }
    /// ```
    pub fn reset(&mut self) {
        if self.core.active.state.has_retried() {
            self.core.succeed();
        }
        let ActiveCall { call, state } = &mut self.core.active;
        if state.number() > 1 || state.has_ended() {
            *state = state_at_start(call);
        } else if let Some(since) = state.observed_since_mut() {
            *since = Instant::now();
        }
        call.set_history(Some(History::of_loop(call.policy())));
    }

    /// Counts this many attempts that were made without this executor, such as those of an earlier process. The number of attempts and the
    /// schedule go on from there. Nothing is emitted for them.
    ///
    /// One more attempt is always possible: if they reach the limit, the attempt that follows is the last one.
    pub fn charge(&mut self, attempts: u32) {
        if attempts > 0 {
            self.core.active.state.charge(attempts);
        }
    }

    /// When the call started. Starts its clock if it does not run yet: see [`new`](Executor::new). On wasm32-unknown-unknown with
    /// the feature `tokio`, the type is `web_time::Instant`.
    #[must_use]
    pub fn started(&mut self) -> StdInstant {
        self.core.start_clock();
        let started = situation::started(&self.core.active.state, &self.core.active.call);
        into_std(started.unwrap_or_else(Instant::now))
    }
}

/// The side of the outcome that failed, as the hook receives it; `None` if the outcome has neither a value nor an error.
pub(crate) fn sides<O: ResultLike>(outcome: &O) -> Option<Result<&O::Value, &O::Error>> {
    match outcome.error() {
        Some(error) => Some(Err(error)),
        None => outcome.value().map(Ok),
    }
}

/// A hook that is called at most once, for what failed.
struct Once<'a, T, E, O, F> {
    failed: Result<&'a T, &'a E>,
    on_retry: Option<F>,
    /// The outcome of a call that the hook ends, if it is not what failed.
    ending: Option<O>,
}

impl<'a, T, E, O, F> Once<'a, T, E, O, F> {
    const fn new(failed: Result<&'a T, &'a E>, on_retry: F) -> Self {
        Self { failed, on_retry: Some(on_retry), ending: None }
    }

    fn decide<R>(&mut self, decide: impl FnOnce(&mut Hooks<'_>) -> Option<Duration>) -> Option<Duration>
    where
        F: FnOnce(&Retrying<'_, T, E>) -> R,
        R: HookResult<O>,
    {
        let Self { failed, on_retry, ending } = self;
        let mut call = |attempt: &Attempt, delay| {
            let Some(on_retry) = on_retry.take() else { return ControlFlow::Continue(()) };
            on_retry(&Retrying::new(*failed, attempt, delay)).into_flow().map_break(|other| *ending = other)
        };
        decide(&mut Hooks { delay: NextDelay::Scheduled, on_retry: Some(&mut call) })
    }
}
