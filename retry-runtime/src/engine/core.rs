//! The core of an executor: the call, its state, and the timer. The futures of attempts and pauses borrow it.

use core::fmt::{self, Display};
use core::mem;
use core::time::Duration;

use crate::classify::connection::Via;
use crate::classify::verdict::Verdict;
use crate::context::connections;
use crate::context::deadline::DeadlineScope;
use crate::context::nested::NestedScope;
use crate::engine::attempt_context::AttemptContext;
use crate::engine::call::Call;
use crate::engine::emit;
use crate::engine::hooks::Hooks;
use crate::engine::manual_call::ManualCall;
use crate::engine::react;
use crate::engine::situation::started;
use crate::engine::state::CallState;
use crate::observe::sink;
use crate::policy::nested::Nested;
use crate::util::sleep::TimerSlot;

/// The call, its state, and the timer.
pub struct Core<C: Call, S> {
    pub(crate) active: ActiveCall<C>,
    pub(crate) sleep: S,
}

/// A call and its state. Its drop emits `Cancelled` while an attempt or a pause is under way, or between them.
pub(crate) struct ActiveCall<C: Call> {
    pub(crate) call: C,
    pub(crate) state: CallState,
}

impl<C: Call> ActiveCall<C> {
    /// Emits the connection events since the last time.
    #[inline]
    pub(crate) fn flush_connection_events(&self) {
        if connections::ENABLED && self.state.exists() {
            emit::flush_connection_events(&self.state, &self.call);
        }
    }
}

impl ActiveCall<ManualCall<'_>> {
    /// Creates the state if the call owns something: without a state, the drop looks at nothing.
    #[inline]
    pub(crate) fn keep_state(&mut self) {
        if self.call.is_owning() {
            self.state.keep();
        }
    }
}

#[inline(always)]
pub(crate) fn state_at_start(call: &impl Call) -> CallState {
    CallState::at_start(call.observer().is_some(), call.is_owning())
}

/// Drops what a call owns, even if an observer of its last event panics.
struct Release<'a, C: Call>(&'a mut C);

impl<C: Call> Drop for Release<'_, C> {
    #[inline]
    fn drop(&mut self) {
        self.0.release();
    }
}

/// For a call that succeeds, this is one null check, as is the drop of [`CallState`]. No other type of this crate in a
/// [`Core`] implements `Drop`, so that the optimizer has nothing else to clean up.
impl<C: Call> Drop for ActiveCall<C> {
    #[inline]
    fn drop(&mut self) {
        if self.state.exists() {
            // Taken, so that nothing is left to look at afterwards.
            drop_with_state(mem::replace(&mut self.state, CallState::none()), &mut self.call);
        }
    }
}

#[cold]
#[inline(never)]
fn drop_with_state<C: Call>(state: CallState, call: &mut C) {
    let call = Release(call);
    react::dropped(state, call.0);
}

impl<C: Call, S: TimerSlot> Core<C, S> {
    #[inline]
    pub(crate) fn begin(&mut self) {
        let ActiveCall { call, state } = &mut self.active;
        if state.exists() {
            if state.is_observed() || sink::is_enabled() {
                react::attempt_started(state, call);
            } else {
                react::attempt_runs(state);
            }
        }
    }

    /// The attempt has its outcome. Annotated functions leave this to what they report about the outcome. A hand-written loop may
    /// forget to report anything, but its attempt has not been cancelled.
    #[inline]
    pub(crate) fn end(&mut self) {
        if self.active.state.exists() {
            react::attempt_ended(&mut self.active.state);
        }
    }

    /// Does a part of the attempt, with the context that calls inside it see.
    #[inline(always)]
    fn in_context<K: AttemptContext, O>(&mut self, work: impl FnOnce(&CallState) -> O) -> O {
        let ActiveCall { call, state } = &mut self.active;
        if K::SETS_CONTEXT {
            let (nested, _deadline) = scopes::<C, K>(call, state);
            let done = work(state);
            leave(nested, state);
            return done;
        }
        // One question, which most calls answer with no. With two, a success takes five instructions more.
        let policy = if state.exists() { call.policy() } else { call.policy_without_state() };
        let scopes = policy.sets_context().then(|| scopes::<C, K>(call, state));
        // In one place, so that it is inlined even if the policy is known only at run time.
        let done = work(state);
        if let Some((nested, _deadline)) = scopes {
            leave(nested, state);
        }
        done
    }

    /// Does a part of the attempt in its span and its context.
    #[inline(always)]
    pub(crate) fn in_attempt<K: AttemptContext, O>(&mut self, work: impl FnOnce() -> O) -> O {
        let done = self.in_context::<K, O>(|state| {
            let _entered = state.enter();
            work()
        });
        self.active.flush_connection_events();
        done
    }

    /// Notes the connection that a response came over.
    #[inline]
    pub(crate) fn response_came_over(&self, via: Via) {
        if connections::ENABLED && self.active.state.exists() {
            emit::response_came_over(&self.active.state, &self.active.call, via);
        }
    }

    /// Starts the clock of a call that may be asked for the time since its start, if it does not run yet.
    #[inline]
    pub(crate) fn start_clock(&mut self) {
        let ActiveCall { call, state } = &mut self.active;
        if let Some(history) = call.history_mut() {
            history.start_clock(state);
        }
    }

    #[inline]
    pub(crate) fn succeed(&mut self) {
        let ActiveCall { call, state } = &mut self.active;
        if state.exists() {
            react::succeeded(state, call);
            return;
        }
        call.stats().at_once();
        if let Some(budget) = call.budget_without_state() {
            budget.succeeded_at_once();
        }
        // It was none before, but the optimizer has to be told that the drop finds nothing.
        mem::forget(mem::replace(state, CallState::none()));
    }

    /// The attempt has failed. Returns the delay before the next attempt, if there is one.
    #[inline]
    pub(crate) fn fail(&mut self, verdict: Verdict, reason: &dyn Display) -> Option<Duration> {
        self.fail_with(verdict, reason, &mut Hooks::none())
    }

    /// [`fail`](Self::fail) with what the caller adds to the decision.
    #[inline]
    pub(crate) fn fail_with(
        &mut self,
        verdict: Verdict,
        reason: &dyn Display,
        hooks: &mut Hooks<'_>,
    ) -> Option<Duration> {
        react::failed(&mut self.active.state, &mut self.active.call, verdict, reason, hooks)
    }
}

/// Sets what calls inside an attempt see of it.
#[inline(always)]
fn scopes<C: Call, K: AttemptContext>(call: &C, state: &CallState) -> (Option<NestedScope>, Option<DeadlineScope>) {
    let policy = call.policy();
    let deadline = if K::MAY_HAVE_DEADLINE { policy.deadline } else { None };
    let deadline = deadline.and_then(|length| Some(DeadlineScope::new(started(state, call)?, length, K::CUTS_OFF)));
    let nested = (policy.nested != Nested::Always).then(|| NestedScope::new(state.nested_exhausted()));
    (nested, deadline)
}

#[inline(always)]
fn leave(nested: Option<NestedScope>, state: &mut CallState) {
    if let Some(scope) = nested {
        state.set_nested_exhausted(scope.leave());
    }
}

impl<C: Call, S> fmt::Debug for Core<C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}

impl<C: Call> fmt::Debug for ActiveCall<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActiveCall").finish_non_exhaustive()
    }
}
