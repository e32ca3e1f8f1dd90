//! The situation of a call: what its attempt, its time limits and the next decision depend on.

use core::time::Duration;

use crate::classify::failure::Failure;
use crate::classify::verdict::Verdict;
use crate::context::{deadline, simulation};
use crate::engine::call::{Call, History};
use crate::engine::hooks::NextDelay;
use crate::engine::state::CallState;
use crate::policy::attempt::Attempt;
use crate::util::clock::Instant;
use crate::util::switch;

/// Everything that a decision depends on, beside the policy and the verdict.
#[derive(Clone, Copy)]
pub(crate) struct Situation {
    /// The number of the attempt that has failed, from 1.
    pub(crate) number: u32,
    /// The limit on attempts, or [`UNLIMITED`](crate::policy::builder::UNLIMITED).
    pub(crate) max_attempts: u32,
    /// When the first attempt started, if that is known.
    pub(crate) started: Option<Instant>,
    /// The time, if a deadline asks for it.
    pub(crate) now: Option<Instant>,
    /// The deadline of the call around, or of the caller outside this process.
    pub(crate) outer_deadline: Option<Instant>,
    /// True if that deadline is the caller's.
    pub(crate) outer_is_caller: bool,
    pub(crate) previous_delay: Duration,
    /// True if a nested call has already exhausted its own retries for this failure.
    pub(crate) nested_exhausted: bool,
    /// False while retries are switched off.
    pub(crate) retries_enabled: bool,
    pub(crate) random: fn() -> f64,
}

impl Situation {
    #[inline(always)]
    pub(crate) fn of(state: &CallState, call: &dyn Call, next_delay: &NextDelay<'_>) -> Self {
        let policy = call.policy();
        let outer = deadline::current();
        let outer_deadline = outer.map(|outer| outer.at);
        let is_limited = policy.deadline.is_some() || outer_deadline.is_some();
        // Few policies look back, and asking the call costs an indirect call.
        let looks_back = is_limited || policy.needs_history() || next_delay.is_computed();
        let history = if looks_back { call.history() } else { None };
        Self {
            number: state.number(),
            max_attempts: policy.attempt_limit(),
            started: history.and_then(|history| history.started).or_else(|| state.observed_since()),
            // Without a deadline the clock is not read.
            now: is_limited.then(Instant::now),
            outer_deadline,
            outer_is_caller: outer.is_some_and(|outer| outer.is_caller),
            previous_delay: history.map_or(Duration::ZERO, History::previous_delay),
            nested_exhausted: state.nested_exhausted(),
            retries_enabled: switch::is_enabled(),
            random: simulation::random_source().unwrap_or(policy.random),
        }
    }
}

/// The current attempt, or the next one during a pause. `started` is the time when the call started, if that is known.
pub(crate) fn attempt(state: &CallState, call: &dyn Call, started: Option<Instant>) -> Attempt {
    let policy = call.policy();
    let last_failure = call.history().and_then(History::last_failure);
    let outer_deadline = deadline::current().map(|deadline| deadline.at);
    Attempt::new(state.number(), policy.max_attempts(), started, policy.deadline, outer_deadline, last_failure)
        .limited_to(policy.attempt_timeout)
}

/// The attempt of a request that is sent only once, without a call.
#[cfg(feature = "tower")]
pub(crate) fn single_attempt() -> Attempt {
    let outer_deadline = deadline::current().map(|deadline| deadline.at);
    Attempt::new(1, Some(1), None, None, outer_deadline, None)
}

/// The attempt that has just ended, with its failure unless its value was only not ready.
#[cold]
pub(crate) fn failed_attempt(number: u32, state: &CallState, call: &dyn Call, failure: Option<Failure>) -> Attempt {
    let policy = call.policy();
    let outer_deadline = deadline::current().map(|deadline| deadline.at);
    Attempt::new(number, policy.max_attempts(), started(state, call), policy.deadline, outer_deadline, failure)
}

/// When the call started, if that is known.
#[inline]
pub(crate) fn started<C: Call + ?Sized>(state: &CallState, call: &C) -> Option<Instant> {
    call.history().and_then(|history| history.started).or_else(|| state.observed_since())
}

/// Recognizes a timeout that a server reports as a cancellation: the deadline of the call has passed, or one around it. Only the call knows
/// that, so the failure itself is of unknown class.
#[inline(always)]
pub(crate) fn with_timeouts(verdict: Verdict, state: &CallState, call: &dyn Call) -> Verdict {
    match verdict {
        // With this class, the condition might have selected the failure. No attempt follows, because the time is over.
        Verdict::Retry(failure) | Verdict::GiveUp(failure) if failure.is_cancelled() && is_out_of_time(state, call) => {
            Verdict::Retry(failure.timed_out())
        }
        _ => verdict,
    }
}

/// True if the call's own deadline, or one around it, has passed.
#[cold]
fn is_out_of_time(state: &CallState, call: &dyn Call) -> bool {
    let outer = deadline::current().map(|deadline| deadline.at);
    own_deadline(state, call).into_iter().chain(outer).any(|deadline| deadline <= Instant::now())
}

/// The end of the call's own deadline. `None` without a deadline, and if it is later than the clock can tell.
pub(crate) fn own_deadline(state: &CallState, call: &dyn Call) -> Option<Instant> {
    started(state, call)?.checked_add(call.policy().deadline?)
}
