//! The dealings of a call with its budget.

use crate::classify::failure::Failure;
use crate::engine::call::Call;
use crate::engine::state::CallState;
use crate::observe::event::{Decision, GiveUp};
use crate::policy::budget::Budget;

/// Counts the success of a call, and gives the tokens back that the retry before it took.
pub(crate) fn pay_for_success(state: &CallState, call: &dyn Call) {
    let Some(budget) = call.budget() else { return };
    match state.paid() {
        None => budget.succeeded_at_once(),
        Some(paid) => budget.give_back(paid),
    }
}

/// Counts the call in the budget, and pays for the retry if one has been decided. Without enough tokens, the decision becomes to give up.
/// Returns the tokens that it took.
///
/// A call that ends with the caller's deadline may have sent nothing, so it is not counted: it must not fund retries.
#[inline(never)]
pub(crate) fn pay(budget: &Budget, state: &CallState, failure: Failure, decision: &mut Decision) -> u16 {
    if !state.has_retried() && *decision != Err(GiveUp::CallerDeadline) {
        budget.count_call();
    }
    // A breaker has rejected the attempt, so nothing was sent that this retry would repeat.
    if decision.is_err() || failure.breaker_delay().is_some() {
        return 0;
    }
    budget.pay(failure.is_timeout()).unwrap_or_else(|| {
        *decision = Err(GiveUp::Budget);
        0
    })
}

/// The attempt has succeeded, but its value is not ready: the tokens of a retry that led to it are given back. A call that
/// ends without having failed is counted here.
#[cold]
pub(crate) fn waits_for_value(budget: &Budget, state: &CallState, ends: bool) {
    match state.paid() {
        Some(paid) => budget.give_back(paid),
        None if ends => budget.count_call(),
        None => {}
    }
}

/// Gives the tokens of the current retry back, because it is not made.
pub(crate) fn give_back(state: &CallState, call: &dyn Call) {
    if let (Some(budget), Some(paid)) = (call.budget(), state.paid()) {
        budget.give_back(paid);
    }
}
