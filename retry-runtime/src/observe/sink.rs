//! The sinks of events: `tracing` (or `log`), the current simulation, and the call's observer.

use crate::context::simulation;
use crate::observe::event::{Event, Observer};
use crate::observe::recorder;
use crate::observe::spans::{self, Spans};
use crate::policy::event_level::EventLevel;

/// True if a sink other than the call's own observer may receive the events of a failing call. Costs one relaxed load for
/// each sink.
#[inline]
pub(crate) fn is_enabled() -> bool {
    simulation::is_on() || spans::is_logged() || spans::is_enabled()
}

#[cold]
pub(crate) fn emit(
    spans: Option<&Spans>,
    level: EventLevel,
    has_retried: bool,
    observer: Option<&dyn Observer>,
    event: &Event<'_>,
) {
    spans::emit(spans, level, has_retried, event);
    recorder::record(event);
    if let Some(observer) = observer {
        observer.on_event(event);
    }
}
