//! Where events go: to `tracing` and to the call's observer.

use crate::engine::call::Call;
use crate::engine::state::CallState;
use crate::observe::event::Event;
#[cfg(feature = "tracing")]
use crate::observe::spans;

/// Whether anybody may listen to what a failing call has to say, or to more: one relaxed load.
#[inline(always)]
pub(crate) fn anybody_listens() -> bool {
    #[cfg(feature = "testing")]
    if crate::context::simulation::is_on() {
        return true;
    }
    #[cfg(feature = "log")]
    if log_listens() {
        return true;
    }
    subscriber_listens()
}

/// Whether a subscriber of `tracing` may listen.
#[inline(always)]
pub(crate) fn subscriber_listens() -> bool {
    #[cfg(feature = "tracing")]
    return tracing::level_filters::LevelFilter::current() >= tracing::level_filters::LevelFilter::WARN;
    #[cfg(not(feature = "tracing"))]
    false
}

/// `tracing` hands its events to `log` while it has no subscriber.
#[cfg(feature = "log")]
#[inline(always)]
fn log_listens() -> bool {
    log::max_level() >= log::LevelFilter::Warn && !tracing::dispatcher::has_been_set()
}

#[cold]
pub(crate) fn emit(_rare: &CallState, call: &dyn Call, event: &Event<'_>) {
    #[cfg(feature = "tracing")]
    spans::say(_rare.spans(), event);
    #[cfg(feature = "testing")]
    crate::context::simulation::note(event);
    if let Some(observer) = call.observer() {
        observer.on_event(event);
    }
}
