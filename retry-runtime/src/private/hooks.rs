//! Additions of an annotated function to the decision after a failure: a backoff closure, and the hook `on_retry`.
//!
//! They are created for each decision, so that a closure borrows what it captures only between two attempts. They are taken as `&mut dyn
//! FnMut` for the reason given in `predicates.rs`.

use core::fmt;
use core::ops::ControlFlow;
use core::time::Duration;

use crate::classify::not_ready::NotReady;
use crate::classify::outcome_kind::OutcomeKind;
use crate::classify::result_like::ResultLike;
use crate::engine::call::Call;
use crate::engine::executor::Executor;
use crate::engine::hooks::{Hooks, NextDelay};
use crate::engine::macro_call::MacroCall;
use crate::engine::pause::NextAttempt;
use crate::engine::report::sides;
use crate::engine::retrying::{HookResult, Retrying};
use crate::policy::attempt::Attempt;
use crate::util::sleep::TimerSlot;

type OnRetry<'h, O, R> = &'h mut dyn FnMut(&Retrying<'_, <O as ResultLike>::Value, <O as ResultLike>::Error>) -> R;

/// The hooks of an annotated function whose outcome is an `O`.
pub struct MacroHooks<'h, O: ResultLike, R = ()> {
    backoff: Option<&'h mut dyn FnMut(&Attempt) -> Duration>,
    on_retry: Option<OnRetry<'h, O, R>>,
    not_ready: Option<fn(NotReady) -> O>,
    into_flow: fn(R) -> ControlFlow<Option<O>>,
}

impl<'h, O: ResultLike> MacroHooks<'h, O> {
    /// No hooks, for outcomes of this type.
    #[inline(always)]
    pub fn of(_: &O) -> Self {
        Self { backoff: None, on_retry: None, not_ready: None, into_flow: HookResult::into_flow }
    }

    /// Adds `on_retry`.
    // The bound is here and not at the decision, so that rustc reports it at the hook.
    #[inline(always)]
    pub fn on_retry<R: HookResult<O>>(self, hook: OnRetry<'h, O, R>) -> MacroHooks<'h, O, R> {
        let Self { backoff, not_ready, .. } = self;
        MacroHooks { backoff, on_retry: Some(hook), not_ready, into_flow: HookResult::into_flow }
    }
}

impl<'h, O: ResultLike, R> MacroHooks<'h, O, R> {
    /// Adds a backoff closure, which replaces the policy's backoff.
    #[inline(always)]
    pub fn backoff(self, backoff: &'h mut dyn FnMut(&Attempt) -> Duration) -> Self {
        Self { backoff: Some(backoff), ..self }
    }

    /// Adds the function that makes the outcome of a call whose value was never ready.
    #[inline(always)]
    pub fn not_ready(self, not_ready: fn(NotReady) -> O) -> Self {
        Self { not_ready: Some(not_ready), ..self }
    }
}

impl<P, O, N, S> Executor<MacroCall<P, O, N>, S>
where
    MacroCall<P, O, N>: Call,
    S: TimerSlot,
{
    /// [`after_failure`](Executor::after_failure) with hooks. If the call ends with another outcome than the failed one, that is
    /// put into `ending`.
    #[doc(hidden)]
    #[cold]
    pub fn after_failure_with<T, K, R>(
        &mut self,
        outcome: &T,
        mut kind: K,
        hooks: MacroHooks<'_, T, R>,
        ending: &mut Option<T>,
    ) -> Option<NextAttempt<'_, MacroCall<P, O, N>, S, K>>
    where
        T: ResultLike,
        K: OutcomeKind<T>,
    {
        let MacroHooks { mut backoff, mut on_retry, not_ready, into_flow } = hooks;
        let mut call = |attempt: &Attempt, delay| match (&mut on_retry, sides(outcome)) {
            (Some(hook), Some(failed)) => {
                into_flow(hook(&Retrying::new(failed, attempt, delay))).map_break(|other| *ending = other)
            }
            _ => ControlFlow::Continue(()),
        };
        let classification = kind.classification(outcome, self.condition());
        let attempts = self.core.active.state.number();
        // Both closures are made here, so that one lifetime fits both.
        let is_computed = backoff.is_some();
        let mut compute = |attempt: &Attempt| backoff.as_mut().map_or(Duration::ZERO, |backoff| backoff(attempt));
        let delay = if is_computed { NextDelay::Computed(&mut compute) } else { NextDelay::Scheduled };
        let next = self.decide(outcome, classification, kind, &mut Hooks { delay, on_retry: Some(&mut call) });
        if next.is_none() && classification.not_ready && ending.is_none() {
            *ending = not_ready.map(|not_ready| not_ready(NotReady::after(attempts)));
        }
        next
    }
}

impl<O: ResultLike, R> fmt::Debug for MacroHooks<'_, O, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacroHooks")
    }
}
