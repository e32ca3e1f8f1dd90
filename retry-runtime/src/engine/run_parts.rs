//! The parts of `Run` that depend on the outcome's type: who judges the outcome, and the hook before a wait.

use core::ops::ControlFlow;
use core::time::Duration;

use crate::classify::class::Class;
use crate::classify::condition::Condition;
use crate::classify::connection::Via;
use crate::classify::drain::{DrainBody, DrainLimits};
use crate::classify::failure::Failure;
use crate::classify::not_ready::{FromNotReady, NotReady};
use crate::classify::outcome::{Classified, Classifier, Outcome};
use crate::classify::result_like::ResultLike;
use crate::classify::verdict::{REFUSED, Verdict};
use crate::engine::report::sides;
use crate::engine::retrying::{HookResult, Retrying};
use crate::policy::attempt::Attempt;

/// The operation of a [`Run`](crate::executor::Run): a closure that is called with each [`Attempt`], and returns a future, or the
/// outcome itself in a blocking call.
// A trait of its own, so that `Run` has no parameter for the type that is returned. rustc would give the lifetimes in it other
// names than those in the closure when it finds out whether a future that holds a `Run` is `Send`, and would fail.
pub trait Operation {
    /// The returned future or outcome.
    type Returned;

    #[doc(hidden)]
    fn start(&mut self, attempt: Attempt) -> Self::Returned;
}

#[diagnostic::do_not_recommend]
impl<F: FnMut(Attempt) -> R, R> Operation for F {
    type Returned = R;

    fn start(&mut self, attempt: Attempt) -> R {
        self(attempt)
    }
}

/// The operation of a [`Run`](crate::executor::Run) returns a future.
#[derive(Clone, Copy, Debug)]
pub struct Async;

/// The operation of a [`Run`](crate::executor::Run) returns its outcome.
#[derive(Clone, Copy, Debug)]
pub struct Blocking;

/// The outcome of what an operation returns: the output of a future, or the returned value itself if the call is blocking.
#[diagnostic::on_unimplemented(
    message = "the operation returns a `{Self}`, which is not a future",
    label = "calls an operation that returns no future",
    note = "for a blocking call, write `.blocking()` right after `run(…)`; otherwise let the closure return an `async` block"
)]
pub trait OutcomeOf<M> {
    /// The outcome.
    type Outcome;
}

#[diagnostic::do_not_recommend]
impl<A: Future> OutcomeOf<Async> for A {
    type Outcome = A::Output;
}

#[diagnostic::do_not_recommend]
impl<O> OutcomeOf<Blocking> for O {
    type Outcome = O;
}

/// Decides which outcomes of type `O` are retried.
#[diagnostic::on_unimplemented(
    message = "`{O}` cannot be classified as success or failure",
    label = "neither a `Result` with an error that is `Retryable` and has a `Display`, nor an `Option`, nor `Retryable` itself",
    note = "decide about any error with `.when(|error| …)`; or for your own error, write `#[derive(Retryable)]` and `impl Display`",
    note = "for the types of reqwest, hyper, tonic and http, enable the feature of `retry-runtime` with that name"
)]
pub trait Judge<O> {
    #[doc(hidden)]
    fn judge<'o>(&mut self, outcome: &'o O) -> Classified<'o>;

    /// Discards an outcome that is retried. Returns the work that remains for the pause.
    #[doc(hidden)]
    fn discard(&self, outcome: O, limits: DrainLimits) -> DrainBody;

    /// The outcome of a call whose value was never ready.
    #[doc(hidden)]
    fn not_ready(&self, _: NotReady) -> Option<O> {
        None
    }

    /// The delay after the outcome that was judged last, if the policy does not decide about it.
    #[doc(hidden)]
    fn chosen_delay(&self) -> Option<Duration> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<O: Outcome> Judge<O> for Condition {
    fn judge<'o>(&mut self, outcome: &'o O) -> Classified<'o> {
        (&*self).classify(outcome)
    }
    fn discard(&self, outcome: O, limits: DrainLimits) -> DrainBody {
        outcome.discard(limits)
    }
}

/// Retries the errors that a predicate selects.
#[derive(Clone, Copy, Debug)]
pub struct When<P>(pub(crate) P);

#[diagnostic::do_not_recommend]
impl<T, E, P: FnMut(&E) -> bool> Judge<Result<T, E>> for When<P> {
    fn judge<'o>(&mut self, outcome: &'o Result<T, E>) -> Classified<'o> {
        const FAILURE: Failure = Failure::new(Class::Unknown);
        let verdict = match outcome {
            Ok(_) => Verdict::Done,
            Err(error) if (self.0)(error) => Verdict::Retry(FAILURE),
            Err(_) => Verdict::GiveUp(FAILURE),
        };
        Classified { verdict, via: Via::NONE, reason: None }
    }
    fn discard(&self, _: Result<T, E>, _: DrainLimits) -> DrainBody {
        DrainBody::none()
    }
}

/// Retries the errors for which a function chooses a delay.
#[derive(Clone, Copy, Debug)]
pub struct PauseAfter<P> {
    choose: P,
    /// The delay after the last error.
    delay: Option<Duration>,
}

impl<P> PauseAfter<P> {
    pub(crate) const fn new(choose: P) -> Self {
        Self { choose, delay: None }
    }
}

#[diagnostic::do_not_recommend]
impl<T, E, P: FnMut(&E) -> Option<Duration>> Judge<Result<T, E>> for PauseAfter<P> {
    fn judge<'o>(&mut self, outcome: &'o Result<T, E>) -> Classified<'o> {
        let Self { choose, delay } = self;
        *delay = None;
        When(|error: &E| {
            *delay = choose(error);
            delay.is_some()
        })
        .judge(outcome)
    }
    fn discard(&self, _: Result<T, E>, _: DrainLimits) -> DrainBody {
        DrainBody::none()
    }
    fn chosen_delay(&self) -> Option<Duration> {
        self.delay
    }
}

/// Asks again until a predicate accepts the value.
#[derive(Clone, Copy, Debug)]
pub struct Until<J, P, O> {
    judge: J,
    predicate: P,
    not_ready: fn(NotReady) -> O,
}

impl<J, P, O: FromNotReady> Until<J, P, O> {
    pub(crate) fn new(judge: J, predicate: P) -> Self {
        Self { judge, predicate, not_ready: O::from_not_ready }
    }
}

#[diagnostic::do_not_recommend]
impl<J: Judge<O>, O: ResultLike, P: FnMut(&O::Value) -> bool> Judge<O> for Until<J, P, O> {
    fn judge<'o>(&mut self, outcome: &'o O) -> Classified<'o> {
        let classified = self.judge.judge(outcome);
        let is_ready =
            classified.verdict != Verdict::Done || outcome.value().is_none_or(|value| (self.predicate)(value));
        let verdict = if is_ready { classified.verdict } else { Verdict::NotReady(REFUSED) };
        Classified { verdict, ..classified }
    }
    fn discard(&self, outcome: O, limits: DrainLimits) -> DrainBody {
        self.judge.discard(outcome, limits)
    }
    fn not_ready(&self, not_ready: NotReady) -> Option<O> {
        Some((self.not_ready)(not_ready))
    }
    fn chosen_delay(&self) -> Option<Duration> {
        self.judge.chosen_delay()
    }
}

/// A judge in which another one takes the place of the condition or the predicate on errors. `until` stays.
pub trait ReplaceJudge<W> {
    /// The judge after that.
    type Replaced;

    #[doc(hidden)]
    fn replaced(self, with: W) -> Self::Replaced;
}

#[diagnostic::do_not_recommend]
impl<W> ReplaceJudge<W> for Condition {
    type Replaced = W;

    fn replaced(self, with: W) -> W {
        with
    }
}

#[diagnostic::do_not_recommend]
impl<P, W> ReplaceJudge<W> for When<P> {
    type Replaced = W;

    fn replaced(self, with: W) -> W {
        with
    }
}

#[diagnostic::do_not_recommend]
impl<P, W> ReplaceJudge<W> for PauseAfter<P> {
    type Replaced = W;

    fn replaced(self, with: W) -> W {
        with
    }
}

#[diagnostic::do_not_recommend]
impl<J: ReplaceJudge<W>, P, O, W> ReplaceJudge<W> for Until<J, P, O> {
    type Replaced = Until<J::Replaced, P, O>;

    fn replaced(self, with: W) -> Self::Replaced {
        let Self { judge, predicate, not_ready } = self;
        Until { judge: judge.replaced(with), predicate, not_ready }
    }
}

/// A hook before each wait, or none.
pub trait RetryHook<O> {
    #[doc(hidden)]
    fn call(&mut self, outcome: &O, attempt: &Attempt, delay: Duration) -> ControlFlow<Option<O>>;
}

/// No hook.
#[derive(Clone, Copy, Debug)]
pub struct NoHook;

impl<O> RetryHook<O> for NoHook {
    fn call(&mut self, _: &O, _: &Attempt, _: Duration) -> ControlFlow<Option<O>> {
        ControlFlow::Continue(())
    }
}

/// A hook before each wait.
#[derive(Clone, Copy, Debug)]
pub struct OnRetry<G>(pub(crate) G);

impl<O: ResultLike, R: HookResult<O>, G: FnMut(&Retrying<'_, O::Value, O::Error>) -> R> RetryHook<O> for OnRetry<G> {
    fn call(&mut self, outcome: &O, attempt: &Attempt, delay: Duration) -> ControlFlow<Option<O>> {
        match sides(outcome) {
            Some(failed) => (self.0)(&Retrying::new(failed, attempt, delay)).into_flow(),
            None => ControlFlow::Continue(()),
        }
    }
}
