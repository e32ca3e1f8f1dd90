//! The reactions to what happens in a call: events, spans, statistics, the budget, and what the context and the call remember.
//!
//! Everything that follows from a failure happens here, in the order of [`failed`]. A plain success of a call without state runs
//! none of these functions; `core.rs` counts it.
//!
//! | [`Phase`] | until |
//! |---|---|
//! | `Idle` | an attempt starts |
//! | `Attempt` | the attempt has its outcome, or is dropped |
//! | `Pause` | the next attempt starts, after the delay |
//! | `Succeeded`, `GaveUp` | a hand-written loop calls `pause` after `succeed` or `fail`, and so takes the end back. Nothing is counted or emitted twice then |

use core::fmt::Display;
use core::time::Duration;

use crate::classify::condition::Condition;
use crate::classify::failure::Failure;
use crate::classify::no_retry::NoRetry;
use crate::classify::verdict::{Classification, Verdict};
use crate::context::{nested, simulation, tracked};
use crate::engine::call::Call;
use crate::engine::decide::{decide, exceeded};
use crate::engine::emit::{emit, emit_for, emit_now, emits_events, flush_connection_events, response_came_over};
use crate::engine::hooks::{Hooks, NextDelay};
use crate::engine::payment::{give_back, pay, pay_for_success, waits_for_value};
use crate::engine::situation::{self, Situation};
use crate::engine::state::{CallState, Phase};
use crate::observe::connections;
use crate::observe::event::{Decision, DelaySource, EventKind, GiveUp};
use crate::observe::reason::FallbackReason;
use crate::observe::sink;
use crate::observe::spans::{self, Spans};
use crate::observe::stats::named as stats;
use crate::util::mask::Masked;

#[cold]
#[inline(never)]
pub(crate) fn attempt_started(state: &mut CallState, call: &dyn Call) {
    if connections::ENABLED {
        flush_connection_events(state, call);
    }
    let number = state.number();
    if sink::is_enabled() {
        // A sink may have been set up since the call began.
        state.observe();
    }
    // Only for a subscriber of `tracing`: through `log`, each span would become a line.
    let level = call.policy().events;
    if spans::is_enabled() {
        if let Some(spans) = state.spans_mut() {
            if call.sends_requests() {
                spans.send_requests();
            }
            spans.start(call.name(), number, level);
        }
    }
    // A retry that is due stays due while the event is emitted. If an observer panics, the retry is not made, and its tokens are returned.
    if !is_retry_due(state) {
        state.set_phase(Phase::Idle);
    }
    if state.is_observed() {
        emit_for(number, state, call, EventKind::AttemptStarted);
    }
    attempt_runs(state);
}

/// The attempt runs from here. A call without events does nothing else.
#[cold]
#[inline(never)]
pub(crate) fn attempt_runs(state: &mut CallState) {
    retry_made(state);
    state.set_phase(Phase::Attempt);
}

/// True from the decision to retry until the retry starts.
fn is_retry_due(state: &CallState) -> bool {
    state.phase() == Phase::Pause
}

/// A retry that was due is made: its attempt starts, or a loop that runs its attempts without the executor reports an outcome.
fn retry_made(state: &mut CallState) {
    if is_retry_due(state) {
        state.set_phase(Phase::Idle);
        tracked::note_retry();
    }
}

#[cold]
#[inline(never)]
pub(crate) fn copy_started(state: &CallState, call: &dyn Call, copy: u32, after: Duration) {
    emit(state, call, EventKind::Hedged { copy, after });
}

/// The current attempt has its outcome. Its span stays open until the event that follows has been emitted.
#[inline]
pub(crate) fn attempt_ended(state: &mut CallState) {
    if !state.has_ended() {
        state.set_phase(Phase::Idle);
    }
}

#[inline]
fn close_span(state: &mut CallState) {
    state.spans_mut().into_iter().for_each(Spans::end_attempt);
}

/// [`close_span`] for an attempt that has failed. A status is that of an HTTP request.
fn close_failed_span(state: &mut CallState, failure: Failure) {
    if let Some(spans) = state.spans_mut() {
        if failure.status().is_some() {
            spans.send_requests();
        }
        spans.end_attempt();
    }
}

/// The call is dropped, after its end or before.
#[cold]
#[inline(never)]
pub(crate) fn dropped(state: CallState, call: &dyn Call) {
    let is_due = is_retry_due(&state);
    if is_due {
        // The retry has been paid for, but is not made.
        give_back(&state, call);
    }
    if (is_due || state.phase() == Phase::Attempt) && !std::thread::panicking() {
        // `start_pause` has already incremented the number, but the pause belongs to the attempt before it.
        let number = state.number() - u32::from(is_due);
        // A call that is dropped before its first retry is not counted. Unless it is observed, it has no state that could
        // tell, and the statistics must not depend on observers.
        if stats::ENABLED && state.has_retried() {
            call.stats().cancelled(state.number() - 1);
        }
        if emits_events(&state) {
            emit_for(number, &state, call, EventKind::Cancelled);
        }
    }
}

#[cold]
pub(crate) fn succeeded(state: &mut CallState, call: &dyn Call) {
    retry_made(state);
    let has_ended = state.has_ended();
    let emits_events = emits_events(state);
    if !has_ended {
        pay_for_success(state, call);
        count_success(state, call);
    }
    state.set_phase(Phase::Succeeded);
    if emits_events {
        emit_now(state, call, EventKind::Succeeded);
    }
    close_span(state);
}

/// A call that has only waited for its value, or was charged for attempts made elsewhere, has not recovered from anything.
fn count_success(state: &CallState, call: &dyn Call) {
    if !stats::ENABLED {
        return;
    }
    match state.has_retried() {
        false => call.stats().at_once(),
        true => call.stats().recovered(state.number()),
    }
}

/// An annotated function has an outcome that is not a plain success. Returns the delay before the next attempt, if there is one.
#[cold]
#[inline(never)]
pub(crate) fn outcome(
    state: &mut CallState,
    call: &mut dyn Call,
    condition: &Condition,
    classification: Classification,
    reason: &dyn Display,
    hooks: &mut Hooks<'_>,
) -> Option<Duration> {
    if connections::ENABLED {
        response_came_over(state, call, classification.via());
    }
    let verdict = condition.verdict(classification);
    if verdict == Verdict::Done {
        succeeded(state, call);
        return None;
    }
    let fallback;
    let reason = if classification.is_error() {
        reason
    } else {
        fallback = if classification.retried_by_on_ok { FallbackReason::Refused } else { FallbackReason::of(verdict) };
        &fallback
    };
    failed(state, call, verdict, reason, hooks)
}

/// The attempt has failed: decides what follows, and reacts to that. Returns the delay before the next attempt, if there is one.
#[inline]
pub(crate) fn failed(
    state: &mut CallState,
    call: &mut dyn Call,
    verdict: Verdict,
    reason: &dyn Display,
    hooks: &mut Hooks<'_>,
) -> Option<Duration> {
    let verdict = situation::with_timeouts(verdict, state, call);
    let failure = verdict.failure()?;
    let not_ready = matches!(verdict, Verdict::NotReady(_));
    let reason = &Masked(reason);
    let event = match not_ready {
        true => EventKind::NotReady,
        false => EventKind::AttemptFailed { class: failure.class(), status: failure.status(), reason },
    };
    retry_made(state);
    let has_ended = state.has_ended();
    let emits_events = emits_events(state);
    attempt_ended(state);
    if emits_events {
        emit_now(state, call, event);
        close_failed_span(state, failure);
    }
    let (number, is_first, gave_up) = (state.number(), !state.has_retried(), state.phase() == Phase::GaveUp);
    let decision = settle(state, call, verdict, failure, hooks, has_ended);
    if gave_up && decision.is_err() {
        // A loop reports its end twice. The second reason says nothing about the failure.
        return None;
    }
    report_decision(
        state,
        call,
        failure,
        decision,
        number,
        Reported { takes_back: has_ended.then_some(event), is_first, not_ready },
    );
    note_nested(decision, failure, number);
    let delay = decision.ok().map(|(delay, _)| delay);
    if !not_ready {
        tracked::note_failure(number, failure, reason, delay);
    }
    note_history(state, call, (!not_ready).then_some(failure), delay);
    let delay = delay?;
    backdate(state, call, delay);
    Some(delay)
}

/// Starts the clock of the call, and keeps what the next attempt may look back at.
#[inline(always)]
fn note_history(state: &CallState, call: &mut dyn Call, failure: Option<Failure>, delay: Option<Duration>) {
    let Some(history) = call.history_mut() else { return };
    history.start_clock(state);
    if let Some(delay) = delay {
        history.note_retry(failure, delay);
    }
}

/// Decides, pays for the retry, and asks the hook about it.
#[inline(always)]
fn settle(
    state: &mut CallState,
    call: &mut dyn Call,
    verdict: Verdict,
    failure: Failure,
    hooks: &mut Hooks<'_>,
    has_ended: bool,
) -> Decision {
    let not_ready = matches!(verdict, Verdict::NotReady(_));
    let number = state.number();
    let mut decision = decide_now(state, call, verdict, failure, &mut hooks.delay);
    // After the decision, so that a retry which is turned down for any other reason takes no tokens.
    let paid = match call.budget() {
        Some(budget) if !not_ready => pay(budget, state, failure, &mut decision),
        Some(budget) if !has_ended => {
            waits_for_value(budget, state, decision.is_err());
            0
        }
        _ => 0,
    };
    // Before the decision is emitted: if an observer or the hook panics then, the tokens are returned.
    match decision {
        Ok(_) => state.start_pause(paid, !not_ready),
        Err(_) => state.set_phase(Phase::GaveUp),
    }
    if let (Ok((delay, _)), Some(on_retry)) = (decision, &mut hooks.on_retry) {
        let attempt = situation::failed_attempt(number, state, call, (!not_ready).then_some(failure));
        let flow = {
            let _entered = state.spans().map(Spans::enter_call);
            on_retry(&attempt, delay)
        };
        if flow.is_break() {
            withdraw_retry(state, call);
            decision = Err(GiveUp::Stopped);
        }
    }
    decision
}

/// The hook has turned down a retry that was paid for.
#[cold]
fn withdraw_retry(state: &mut CallState, call: &dyn Call) {
    give_back(state, call);
    state.withdraw_pause();
}

/// Decides, and checks the deadline again after a backoff function of the user's, which may take long.
#[inline(always)]
fn decide_now(
    state: &CallState,
    call: &dyn Call,
    verdict: Verdict,
    failure: Failure,
    next_delay: &mut NextDelay<'_>,
) -> Decision {
    let (policy, situation) = (call.policy(), Situation::of(state, call, next_delay));
    let is_computed = policy.backoff.is_custom() || next_delay.is_computed();
    let decision = decide(policy, verdict, failure, &situation, next_delay);
    match decision {
        Ok((delay, _)) if is_computed => exceeded(policy, &situation, delay).map_or(decision, Err),
        decision => decision,
    }
}

/// How a decision is reported.
struct Reported<'e> {
    /// The event of a failure that takes the end of the call back. It is emitted with the decision, and only if the call really goes on.
    takes_back: Option<EventKind<'e>>,
    /// No failure of the call has been retried before.
    is_first: bool,
    /// The attempt did not fail: its value is not ready yet.
    not_ready: bool,
}

#[inline(always)]
fn report_decision(
    state: &CallState,
    call: &dyn Call,
    failure: Failure,
    decision: Decision,
    number: u32,
    Reported { takes_back, is_first, not_ready }: Reported<'_>,
) {
    if takes_back.is_some() && decision.is_err() {
        return;
    }
    // A call that waits for a value has not failed. One that gives up has.
    if stats::ENABLED && !(not_ready && decision.is_ok()) {
        call.stats().failed(number, is_first, failure, decision);
    }
    if !state.is_observed() && !sink::is_enabled() {
        return;
    }
    if let Some(failed) = takes_back {
        emit_for(number, state, call, failed);
    }
    let kind = match decision {
        Ok((delay, source)) => EventKind::Waiting { delay, source, requested: requested(failure, source), not_ready },
        Err(why) => EventKind::GaveUp(why),
    };
    emit_for(number, state, call, kind);
}

fn requested(failure: Failure, source: DelaySource) -> Option<Duration> {
    match source {
        DelaySource::Backoff | DelaySource::Chosen => None,
        DelaySource::Server => failure.server_delay(),
        DelaySource::Breaker => failure.breaker_delay(),
    }
}

/// Lets the calls around know whether the failure has been retried. A call that has only one attempt does not change the flag, because a
/// call inside it may have set it.
#[inline(always)]
fn note_nested(decision: Decision, failure: Failure, number: u32) {
    if !matches!(decision, Err(GiveUp::Exhausted) if number == 1) {
        // A service below has retried it, even if this call gives up for another reason.
        let was_retried_below = || failure.no_retry() == Some(NoRetry::ExhaustedBelow);
        nested::set_exhausted(decision.is_err_and(|why| has_exhausted_retries(why) || was_retried_below()));
    }
}

/// True if the failure was worth a retry, but this call may make none: a call around it with `nested = "once"` must not retry it
/// either. False for a failure that no attempt could mend, and while retries are switched off, which the call around it finds out
/// by itself. False as well if the caller outside this process has no more time for this attempt of it: its next attempt may well
/// succeed.
fn has_exhausted_retries(why: GiveUp) -> bool {
    match why {
        GiveUp::Exhausted
        | GiveUp::Deadline
        | GiveUp::ServerDelay(_)
        | GiveUp::Budget
        | GiveUp::Nested
        | GiveUp::Stopped
        | GiveUp::ExhaustedBelow
        | GiveUp::ServerRefused => true,
        GiveUp::Permanent
        | GiveUp::Excluded
        | GiveUp::CallerDeadline
        | GiveUp::NotIdempotent
        | GiveUp::BodyUsedUp
        | GiveUp::Disabled => false,
    }
}

/// Moves the start of a simulated call back by the delay that it does not sleep, so that its deadline comes when it would.
fn backdate(state: &mut CallState, call: &mut dyn Call, delay: Duration) {
    if !simulation::skips_delays() {
        return;
    }
    let starts =
        state.observed_since_mut().into_iter().chain(call.history_mut().and_then(|history| history.started.as_mut()));
    for start in starts {
        *start = start.checked_sub(delay).unwrap_or(*start);
    }
}

/// The current attempt is the last one, and its outcome will not be reported.
#[cfg(feature = "tower")]
#[cold]
#[inline(never)]
pub(crate) fn abandoned(state: &mut CallState, call: &dyn Call, why: GiveUp) {
    let last = call.history().and_then(|history| history.last_failure());
    let failure = last.unwrap_or(Failure::new(crate::classify::class::Class::Unknown));
    call.stats().failed(state.number(), !state.has_retried(), failure, Err(why));
    emit(state, call, EventKind::GaveUp(why));
    close_span(state);
    state.set_phase(Phase::GaveUp);
}

#[cfg(test)]
mod tests {
    use core::future::pending;
    use core::pin::pin;
    use core::task::{Context, Waker};
    use core::time::Duration;

    use crate::{Budget, Executor, Policy};

    /// A unit test, because the package of the other tests switches on the features that count calls.
    #[test]
    fn a_retry_that_is_dropped_while_it_runs_is_paid_for_though_its_pause_was_dropped() {
        static BUDGET: Budget = Budget::new().capacity(500);
        let policy = Policy::fixed(Duration::ZERO).budget(|| &BUDGET);
        // Not on tokio's timer, which is a feature.
        let mut retry = Executor::new(&policy).sleep(|_| pending());
        retry.attempt_blocking(|| ());
        drop(retry.pause("no").unwrap());
        let polled = pin!(retry.attempt_to_end(pending::<()>())).poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        drop(retry);
        assert_eq!(BUDGET.tokens(), 495);
    }
}
