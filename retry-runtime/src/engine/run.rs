//! `Policy::run`: the loop around a closure.

use core::fmt;
use core::marker::PhantomData;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::borrow::Cow;

use pin_project_lite::pin_project;

use crate::classify::condition::Condition;
use crate::classify::drain::DrainBody;
use crate::classify::not_ready::{FromNotReady, NotReady};
use crate::classify::result_like::ResultLike;
use crate::classify::verdict::Verdict;
use crate::engine::attempt_future::RunningAttempt;
use crate::engine::call::Call as _;
use crate::engine::executor::Executor;
use crate::engine::hooks::{Hooks, NextDelay};
use crate::engine::manual_call::ManualCall;
use crate::engine::pause::{Pause, RunningPause};
use crate::engine::retrying::{HookResult, Retrying};
use crate::engine::run_parts::{
    Async, Blocking, Judge, NoHook, OnRetry, Operation, OutcomeOf, PauseAfter, ReplaceJudge, RetryHook, Until, When,
};
use crate::engine::time_limit::{BlockingLimit, CutsOff, LimitOfAnyError, LimitTimer, TimeLimit, Unlimited};
use crate::observe::event::Observer;
use crate::policy::attempt::Attempt;
use crate::policy::budget::Budget;
use crate::policy::builder::Policy;
use crate::util::shared::Shared;
use crate::util::sleep::{Sleep, SleepFunction, TimerSlot, TokioSleep};

impl Policy {
    /// Calls `operation` until it succeeds, or until this policy or the condition ends the retries. Returns the last outcome unchanged.
    ///
    /// The operation is called once for each attempt, with the [`Attempt`]. A closure that returns futures cannot lend them mutable state:
    /// for that, use [`retrying!`](crate::retrying), a loop with an [`Executor`], or an annotated function.
    ///
    /// ```
    /// use retry_runtime::Policy;
    ///
    /// const POLICY: Policy = Policy::new().attempts(5);
    ///
    /// async fn read(path: &str) -> std::io::Result<String> {
    ///     POLICY
    ///         .run(|_| async { std::fs::read_to_string(path) })
    ///         .when(|error| error.kind() == std::io::ErrorKind::Interrupted)
    ///         .on_retry(|retrying| eprintln!("{retrying}"))
    ///         .await
    /// }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(read("Cargo.toml")).unwrap();
    /// ```
    ///
    /// | form | decides what is retried | requires |
    /// |---|---|---|
    /// | `POLICY.run(op)` | the standard [`Condition`] | an [`Outcome`](crate::outcome::Outcome), such as a `Result` whose error is [`Retryable`](crate::Retryable) |
    /// | `….condition(condition)` | this condition | the same |
    /// | `….when(predicate)` | your predicate on the error | a `Result` with any error |
    /// | `….pause_after(function)` | your function of the error, which also chooses the delay | the same |
    ///
    /// In the first two forms, the deadline and the attempt timeout cut attempts off, which requires an error that implements
    /// `From<`[`TimedOut`](crate::TimedOut)`>`. [`to_end`](Run::to_end) removes that, and [`when`](Run::when) and
    /// [`pause_after`](Run::pause_after) do without it: [`cut_off`](Run::cut_off) adds it.
    ///
    /// # Panics
    ///
    /// With tokio's timer, panics if it has to wait outside a tokio runtime whose time is enabled. With [`sleep`](Run::sleep), it needs no
    /// tokio runtime.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the current attempt, and nothing else.
    pub fn run<F, A>(&self, operation: F) -> Run<'_, F>
    where
        F: FnMut(Attempt) -> A,
    {
        Run {
            executor: Executor::unobserved(ManualCall::new(self, None, None)),
            operation,
            judge: Condition::new(),
            hook: NoHook,
            limit: CutsOff,
            stage: Stage::New,
            mode: PhantomData,
        }
    }
}

pin_project! {
    /// A call that [`Policy::run`] makes: its settings, and the future that makes it.
    #[must_use = "a call does nothing unless it is awaited; a blocking one, unless it is made with `call`"]
    pub struct Run<'p, F: Operation, J = Condition, H = NoHook, S: TimerSlot = TokioSleep, K: LimitTimer<S> = CutsOff, M = Async> {
        // Dropped before the executor, as the attempt of a loop is.
        #[pin]
        stage: Stage<F::Returned, S, K>,
        executor: Executor<ManualCall<'p>, S>,
        operation: F,
        judge: J,
        hook: H,
        limit: K,
        mode: PhantomData<M>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<A, S: TimerSlot, K: LimitTimer<S>> {
        New,
        Attempt { #[pin] running: RunningAttempt<S, A, K> },
        Pause { #[pin] running: RunningPause<S, DrainBody> },
        Ended,
    }
}

/// Settings: the outcomes that are retried.
impl<'p, F: Operation, J, H, S: TimerSlot, K: LimitTimer<S>, M> Run<'p, F, J, H, S, K, M> {
    /// Sets the condition: which outcomes are retried, by their classification. Replaces [`when`](Self::when).
    pub fn condition(self, condition: Condition) -> Run<'p, F, J::Replaced, H, S, K, M>
    where
        J: ReplaceJudge<Condition>,
    {
        self.with(|judge, hook, limit| (judge.replaced(condition), hook, limit))
    }

    /// Retries the errors for which the predicate returns `true`, and no others. The error may have any type. Every `Ok` is a success.
    ///
    /// The error is not classified. A delay that it asks for, as by [`Retryable::server_delay`](crate::Retryable::server_delay),
    /// is not read: return it from [`pause_after`](Self::pause_after), or use [`condition`](Self::condition), or `error_delay` in
    /// [`retrying!`](crate::retrying!).
    ///
    /// Attempts are not cut off, unless the call also has [`cut_off`](Self::cut_off): the deadline still ends the retries, but the attempt
    /// timeout has no effect. Events name the class of the failure instead of the error's message; to log the message, use
    /// [`on_retry`](Self::on_retry).
    pub fn when<P, T, E>(self, predicate: P) -> Run<'p, F, J::Replaced, H, S, K::Limit, M>
    where
        J: ReplaceJudge<When<P>>,
        K: LimitOfAnyError<S>,
        F::Returned: OutcomeOf<M, Outcome = Result<T, E>>,
        P: FnMut(&E) -> bool,
    {
        self.with(|judge, hook, limit| (judge.replaced(When(predicate)), hook, limit.of_any_error()))
    }

    /// Retries the errors for which the function returns a delay, after that delay, and no others. For errors that need different
    /// delays, such as throttling. The error may have any type. Every `Ok` is a success. Replaces [`when`](Self::when) and
    /// [`condition`](Self::condition).
    ///
    /// The delay takes the place of the policy's schedule. It has no jitter and no cap. The policy's other limits do apply:
    /// attempts, deadline, budget. Events name the source of the delay as [`DelaySource::Chosen`](crate::event::DelaySource::Chosen).
    /// For the delays of several policies, see [`Policy::drawn_delays`].
    ///
    /// As with [`when`](Self::when), attempts are not cut off, unless the call also has [`cut_off`](Self::cut_off).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use retry_runtime::Policy;
    /// # enum Error { Throttled, Lost, Refused }
    /// # async fn send() -> Result<(), Error> { Ok(()) }
    /// # async fn f() -> Result<(), Error> {
    /// let mut throttled = Policy::exponential(Duration::from_secs(1)).unlimited().drawn_delays();
    /// Policy::new()
    ///     .run(|_| send())
    ///     .pause_after(|error| match error {
    ///         Error::Throttled => throttled.next(),
    ///         Error::Lost => Some(Duration::ZERO),
    ///         Error::Refused => None,
    ///     })
    ///     .await
    /// # }
    /// ```
    pub fn pause_after<P, T, E>(self, delay: P) -> Run<'p, F, J::Replaced, H, S, K::Limit, M>
    where
        J: ReplaceJudge<PauseAfter<P>>,
        K: LimitOfAnyError<S>,
        F::Returned: OutcomeOf<M, Outcome = Result<T, E>>,
        P: FnMut(&E) -> Option<Duration>,
    {
        self.with(|judge, hook, limit| (judge.replaced(PauseAfter::new(delay)), hook, limit.of_any_error()))
    }

    /// Asks again until the predicate returns `true` for the value. A value that is not ready yet is not a failure: it is emitted
    /// at debug level, and takes no tokens from the budget. If attempts or time run out first, the outcome is made from
    /// [`NotReady`]; the unfinished value is never returned.
    ///
    /// Errors are retried as without it.
    pub fn until<P, O>(self, predicate: P) -> Run<'p, F, Until<J, P, O>, H, S, K, M>
    where
        F::Returned: OutcomeOf<M, Outcome = O>,
        O: ResultLike + FromNotReady,
        P: FnMut(&O::Value) -> bool,
    {
        self.with(|judge, hook, limit| (Until::new(judge, predicate), hook, limit))
    }

    /// Calls this hook before each wait. It receives the typed error, or the value if a success is retried, with the attempt and
    /// the delay, and can end the call: see [`Retrying`]. Write a closure here, not in a variable, so that rustc infers its lifetimes.
    pub fn on_retry<G, O, R>(self, hook: G) -> Run<'p, F, J, OnRetry<G>, S, K, M>
    where
        F::Returned: OutcomeOf<M, Outcome = O>,
        O: ResultLike,
        G: FnMut(&Retrying<'_, O::Value, O::Error>) -> R,
        R: HookResult<O>,
    {
        self.with(|judge, none, limit| (judge, replace(none, OnRetry(hook)), limit))
    }
}

/// Settings of calls that do not block.
impl<'p, F: Operation, J, H, S: TimerSlot, K: LimitTimer<S>> Run<'p, F, J, H, S, K, Async> {
    /// Waits with this function instead of tokio's timer, as [`Executor::sleep`] does. A blocking call takes a function for its
    /// waits in [`call_with`](Run::call_with).
    pub fn sleep<T: SleepFunction>(self, sleep: T) -> Run<'p, F, J, H, T::Sleep, K, Async>
    where
        K: LimitTimer<T::Sleep>,
    {
        let Self { executor, operation, judge, hook, limit, mode, stage: _ } = self;
        Run { stage: Stage::New, executor: executor.sleep(sleep), operation, judge, hook, limit, mode }
    }

    /// Cuts off attempts at the deadline and at the attempt timeout. The default, unless [`when`](Self::when) or
    /// [`pause_after`](Self::pause_after) is used. It may be set before or after them.
    /// A blocking attempt cannot be cut off, so a call with [`blocking`](Run::blocking) does not compile with it.
    pub fn cut_off(self) -> Run<'p, F, J, H, S, CutsOff<true>, Async> {
        self.with(|judge, hook, limit| (judge, hook, replace(limit, CutsOff)))
    }
}

/// Settings of the call.
impl<'p, F: Operation, J, H, S: TimerSlot, K: LimitTimer<S>, M> Run<'p, F, J, H, S, K, M> {
    /// The name in events, borrowed or owned. Defaults to `retry`.
    pub fn name(mut self, name: impl Into<Cow<'p, str>>) -> Self {
        self.executor = self.executor.name(name);
        self
    }

    /// Pays for the retries from this budget, instead of the policy's: a `&Budget` or an `Arc<Budget>`.
    pub fn budget(mut self, budget: impl Into<Shared<'p, Budget>>) -> Self {
        self.executor = self.executor.budget(budget);
        self
    }

    /// Sends the events to this observer, in addition to `tracing`.
    pub fn observer(mut self, observer: &'p dyn Observer) -> Self {
        self.executor.core.active.call.set_observer(Some(observer));
        self
    }

    /// Lets each attempt run to its end, so that the outcome need not be made from [`TimedOut`](crate::TimedOut). The deadline
    /// still ends the retries. The attempt timeout has no effect.
    pub fn to_end(self) -> Run<'p, F, J, H, S, Unlimited, M> {
        self.with(|judge, hook, limit| (judge, hook, replace(limit, Unlimited)))
    }

    /// Makes a blocking call: the operation returns its outcome instead of a future, and [`call`](Run::call) runs it on this thread.
    ///
    /// Nothing can stop a blocking attempt: the policy's attempt timeout has no effect, and its deadline only ends the retries. Set a timeout
    /// in the client instead. The first such call with an attempt timeout emits a warning that names it, through `tracing` or `log`, unless the
    /// policy's events are off.
    ///
    /// ```
    /// # use retry_runtime::Policy;
    /// # fn f() -> std::io::Result<String> {
    /// Policy::new()
    ///     .run(|_| std::fs::read_to_string("Cargo.toml"))
    ///     .blocking()
    ///     .when(|error| error.kind() == std::io::ErrorKind::Interrupted)
    ///     .call()
    /// # }
    /// # f().unwrap();
    /// ```
    pub fn blocking(self) -> Run<'p, F, J, H, S, Unlimited, Blocking>
    where
        K: BlockingLimit,
    {
        let Self { executor, operation, judge, hook, limit: _, mode: _, stage: _ } = self;
        Run { stage: Stage::New, executor, operation, judge, hook, limit: Unlimited, mode: PhantomData }
    }

    /// Replaces some settings, and so the types of them.
    fn with<J2, H2, K2: LimitTimer<S>>(
        self,
        replace: impl FnOnce(J, H, K) -> (J2, H2, K2),
    ) -> Run<'p, F, J2, H2, S, K2, M> {
        let Self { executor, operation, judge, hook, limit, mode, stage: _ } = self;
        let (judge, hook, limit) = replace(judge, hook, limit);
        Run { stage: Stage::New, executor, operation, judge, hook, limit, mode }
    }
}

fn replace<T, U>(_: T, with: U) -> U {
    with
}

/// Blocking calls.
impl<F, J, H, S> Run<'_, F, J, H, S, Unlimited, Blocking>
where
    F: Operation,
    J: Judge<F::Returned>,
    H: RetryHook<F::Returned>,
    S: TimerSlot,
{
    /// Makes the call. Waits with [`std::thread::sleep`].
    ///
    /// A deadline ends the retries, but cuts no attempt off. An attempt timeout has no effect.
    pub fn call(self) -> F::Returned {
        self.call_with(std::thread::sleep)
    }

    /// Makes the call, and waits with this function. It is not called for a zero delay.
    pub fn call_with(mut self, mut sleep: impl FnMut(Duration)) -> F::Returned {
        self.executor.start_call();
        loop {
            let attempt = self.executor.current();
            let outcome = self.executor.attempt_blocking(|| self.operation.start(attempt));
            match decide(&mut self.executor, &mut self.judge, &mut self.hook, outcome) {
                ControlFlow::Break(outcome) => return outcome,
                ControlFlow::Continue((delay, cleanup)) => {
                    Pause::new(&mut self.executor.core, delay, cleanup).block_with(&mut sleep);
                }
            }
        }
    }
}

impl<F, J, H, S, K, O> Future for Run<'_, F, J, H, S, K, Async>
where
    F: Operation<Returned: Future<Output = O>>,
    J: Judge<O>,
    H: RetryHook<O>,
    S: Sleep,
    K: TimeLimit<S, O> + Copy,
{
    type Output = O;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O> {
        let mut this = self.project();
        loop {
            match this.stage.as_mut().project() {
                StageProjection::New => this.executor.start_call(),
                StageProjection::Pause { running } => ready!(running.poll(&mut this.executor.core, cx)),
                StageProjection::Attempt { running } => {
                    let outcome = ready!(running.poll(&mut this.executor.core, cx));
                    match decide(this.executor, this.judge, this.hook, outcome) {
                        ControlFlow::Break(outcome) => {
                            this.stage.set(Stage::Ended);
                            return Poll::Ready(outcome);
                        }
                        ControlFlow::Continue((delay, cleanup)) => {
                            let running = RunningPause::new(&this.executor.core.sleep, delay, cleanup);
                            this.stage.set(Stage::Pause { running });
                            continue;
                        }
                    }
                }
                StageProjection::Ended => panic!("a call was polled after its end"),
            }
            let future = this.operation.start(this.executor.current());
            let running = RunningAttempt::at_once(&this.executor.core.sleep, future, *this.limit);
            this.stage.set(Stage::Attempt { running });
        }
    }
}

/// Decides what follows an outcome: the delay and what is left to do during it, or the outcome of the call.
fn decide<O, S: TimerSlot>(
    executor: &mut Executor<ManualCall<'_>, S>,
    judge: &mut impl Judge<O>,
    hook: &mut impl RetryHook<O>,
    outcome: O,
) -> ControlFlow<O, (Duration, DrainBody)> {
    let classified = judge.judge(&outcome);
    let attempts = executor.core.active.state.number();
    let mut ending = None;
    let mut call = |attempt: &Attempt, delay| hook.call(&outcome, attempt, delay).map_break(|other| ending = other);
    let next = judge.chosen_delay().map_or(NextDelay::Scheduled, NextDelay::Chosen);
    let delay = executor.decide_on(classified, &mut Hooks { delay: next, on_retry: Some(&mut call) });
    match delay {
        Some(delay) => {
            let limits = executor.core.active.call.policy().drain_limits();
            ControlFlow::Continue((delay, judge.discard(outcome, limits)))
        }
        None if matches!(classified.verdict, Verdict::NotReady(_)) && ending.is_none() => {
            ControlFlow::Break(judge.not_ready(NotReady::after(attempts)).unwrap_or(outcome))
        }
        None => ControlFlow::Break(ending.unwrap_or(outcome)),
    }
}

impl<F: Operation, J, H, S: TimerSlot, K: LimitTimer<S>, M> fmt::Debug for Run<'_, F, J, H, S, K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("executor", &self.executor).finish_non_exhaustive()
    }
}
