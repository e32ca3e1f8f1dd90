//! Emission of events: to the observer of the call, and to the sinks.

use core::time::Duration;

use crate::classify::connection::Via;
use crate::engine::call::Call;
use crate::engine::situation::started;
use crate::engine::state::CallState;
use crate::observe::connections;
use crate::observe::event::{Event, EventKind};
use crate::observe::sink;

/// Emits the connection events since the last time. What a pool did in its own task has not been emitted yet.
#[cold]
#[inline(never)]
pub(crate) fn flush_connection_events(state: &CallState, call: &dyn Call) {
    if state.has_ended() {
        return;
    }
    let Some(log) = state.connections() else { return };
    connections::flush(log, |attempt, at, kind| {
        let elapsed = started(state, call).map_or(Duration::ZERO, |started| at.saturating_duration_since(started));
        let attempts = call.policy().max_attempts();
        pass_on(state, call, &Event { name: call.name(), attempt, attempts, elapsed, kind });
    });
}

/// Emits an event if the response came over a reused connection.
#[cold]
#[inline(never)]
pub(crate) fn response_came_over(state: &CallState, call: &dyn Call, via: Via) {
    let Some(log) = state.connections() else { return };
    connections::reused(log, via, state.number(), |kind| emit(state, call, kind));
}

/// True if an event of this call reaches an observer or a sink. After its end, a call emits nothing.
#[inline(always)]
pub(crate) fn emits_events(state: &CallState) -> bool {
    (state.is_observed() || sink::is_enabled()) && !state.has_ended()
}

#[inline(always)]
pub(crate) fn emit(state: &CallState, call: &dyn Call, kind: EventKind<'_>) {
    if emits_events(state) {
        emit_now(state, call, kind);
    }
}

#[cold]
#[inline(never)]
pub(crate) fn emit_now(state: &CallState, call: &dyn Call, kind: EventKind<'_>) {
    emit_for(state.number(), state, call, kind);
}

/// Emits an event of the attempt with this number.
#[cold]
#[inline(never)]
pub(crate) fn emit_for(attempt: u32, state: &CallState, call: &dyn Call, kind: EventKind<'_>) {
    let elapsed = started(state, call).map_or(Duration::ZERO, |started| started.elapsed());
    let attempts = call.policy().max_attempts();
    pass_on(state, call, &Event { name: call.name(), attempt, attempts, elapsed, kind });
}

fn pass_on(state: &CallState, call: &dyn Call, event: &Event<'_>) {
    sink::emit(state.spans(), call.policy().events, state.has_retried(), call.observer(), event);
}
