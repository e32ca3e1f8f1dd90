//! Where events go: to `tracing` and to the call's observer.

use crate::call::Call;
use crate::event::Event;

/// Whether anybody may listen to what a failing call has to say, or to more: one relaxed load.
#[inline(always)]
pub(crate) fn tracing_listens() -> bool {
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
pub(crate) fn emit(call: &dyn Call, event: &Event<'_>) {
    #[cfg(feature = "tracing")]
    to_tracing(event);
    if let Some(observer) = call.observer() {
        observer.on_event(event);
    }
}

#[cfg(feature = "tracing")]
fn to_tracing(event: &Event<'_>) {
    use tracing::Level;

    use crate::event::{EventKind, legible};

    let Event { name, attempt, attempts, elapsed, kind } = *event;
    let elapsed = legible(elapsed);
    // The level and the names of fields must be known where the macro stands.
    macro_rules! say {
        ($level:ident $(, $key:ident = $value:expr)*) => {
            tracing::event!(
                target: "retry", Level::$level,
                name, attempt, attempts, ?elapsed $(, $key = $value)*,
                "{event}"
            )
        };
    }
    match kind {
        EventKind::AttemptStarted => say!(DEBUG),
        EventKind::AttemptFailed { class, status, .. } => say!(WARN, class = class.as_str(), status = status),
        EventKind::Waiting { delay, .. } => say!(INFO, delay = tracing::field::debug(legible(delay))),
        EventKind::Hedged { copy, .. } => say!(DEBUG, copy = copy),
        EventKind::Wire(what) => say!(DEBUG, wire = what.as_str()),
        EventKind::Succeeded if attempt == 1 => say!(DEBUG),
        EventKind::Succeeded => say!(INFO),
        EventKind::GaveUp(why) => say!(WARN, why = why.as_str()),
        EventKind::Cancelled => say!(DEBUG),
    }
}
