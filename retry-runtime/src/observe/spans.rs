//! Spans and events for `tracing`: a span for each call, inside it a span for each attempt, and the events inside these
//! spans.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tracing::field::{Empty, display};
pub(crate) use tracing::span::Entered;
use tracing::{Id, Level, Span};

use crate::observe::event::{Event, EventKind, GiveUp};
use crate::policy::event_level::EventLevel;
use crate::util::durations::legible;

/// True if the library has spans at all.
pub(crate) const ENABLED: bool = true;

/// The spans of a call that has a subscriber of `tracing`. Field names with a dot are those of OpenTelemetry's semantic
/// conventions. tracing-opentelemetry derives the status of a span from `otel.status_code`.
pub(crate) struct Spans {
    call: Span,
    attempt: Span,
    /// The number of the attempt whose span is open.
    number: u32,
    /// True if the attempts send HTTP requests, as far as that is known: by the call, or by the status of a failure.
    sends_requests: bool,
}

impl Spans {
    pub(crate) const fn none() -> Self {
        Self { call: Span::none(), attempt: Span::none(), number: 0, sends_requests: false }
    }

    /// The call sends HTTP requests, so that each further attempt resends one.
    pub(crate) const fn send_requests(&mut self) {
        self.sends_requests = true;
    }

    /// Opens the span of an attempt, and before the first attempt that of the call.
    pub(crate) fn start(&mut self, name: &str, number: u32, level: EventLevel) {
        // A macro, because the level of a span must be constant.
        macro_rules! span {
            ($($field:tt)*) => {
                match level {
                    EventLevel::Info => tracing::info_span!(target: "retry", $($field)*),
                    EventLevel::Debug => tracing::debug_span!(target: "retry", $($field)*),
                    EventLevel::Off => Span::none(),
                }
            };
        }
        if self.call.is_disabled() {
            // Not `name`: in JSON, each span has a field of that name, which is its own.
            self.call =
                span!("retry", call = name, attempts_made = Empty, error.type = Empty, otel.status_code = Empty);
        }
        let resent = (number > 1 && self.sends_requests).then(|| number - 1);
        self.number = number;
        self.attempt = span!(
            parent: self.around(), "attempt",
            attempt = number, http.request.resend_count = resent,
            http.response.status_code = Empty, error.type = Empty, otel.status_code = Empty
        );
    }

    /// Closes the span of the attempt. Called after the events that follow from the attempt's outcome, so that they are
    /// inside the span.
    pub(crate) fn end_attempt(&mut self) {
        self.attempt = Span::none();
    }

    /// Enters the span of the attempt, while the attempt is polled.
    pub(crate) fn enter(&self) -> Entered<'_> {
        self.attempt.enter()
    }

    /// Enters the span of the call, while a hook runs.
    pub(crate) fn enter_call(&self) -> Entered<'_> {
        self.call.enter()
    }

    /// The span of the call, or else the one that is currently entered. It is resolved here, because an explicit parent of
    /// `None` would start a new trace.
    fn around(&self) -> Option<Id> {
        self.call.id().or_else(|| Span::current().id())
    }

    /// Returns true if the span of this attempt is open. An event may belong to an attempt that has ended, such as the
    /// event of a connection that was established for it.
    fn is_open(&self, attempt: u32) -> bool {
        self.number == attempt && !self.attempt.is_disabled()
    }

    /// Records the outcome in the fields of the spans.
    fn note(&self, event: &Event<'_>) {
        match event.kind {
            EventKind::AttemptFailed { class, status, .. } => {
                self.attempt.record("otel.status_code", "ERROR");
                match status {
                    Some(status) => {
                        self.attempt.record("http.response.status_code", status);
                        self.attempt.record("error.type", display(status))
                    }
                    None => self.attempt.record("error.type", class.as_str()),
                };
            }
            EventKind::Succeeded => {
                self.call.record("attempts_made", event.attempt);
            }
            EventKind::GaveUp(why) => {
                self.call.record("attempts_made", event.attempt);
                self.call.record("otel.status_code", "ERROR");
                self.call.record("error.type", why.as_str());
            }
            _ => {}
        }
    }
}

/// True if a subscriber of `tracing` may be enabled for warnings, the most severe level of these events.
#[inline]
pub(crate) fn is_enabled() -> bool {
    tracing::level_filters::LevelFilter::current() >= tracing::level_filters::LevelFilter::WARN
}

/// True if `tracing` passes its events to `log`, as it does while it has no subscriber.
#[cfg(feature = "log")]
#[inline]
pub(crate) fn is_logged() -> bool {
    log::max_level() >= log::LevelFilter::Warn && !tracing::dispatcher::has_been_set()
}

#[cfg(not(feature = "log"))]
#[inline]
pub(crate) const fn is_logged() -> bool {
    false
}

/// [`is_logged`] for events at debug level.
#[cfg(feature = "log")]
fn is_debug_logged() -> bool {
    is_logged() && log::max_level() >= log::LevelFilter::Debug
}

#[cfg(not(feature = "log"))]
const fn is_debug_logged() -> bool {
    false
}

/// Emits an event in the innermost span. Leaves out the fields that the spans have already. `has_retried` is true if the call has retried a failure.
pub(crate) fn emit(spans: Option<&Spans>, level: EventLevel, has_retried: bool, event: &Event<'_>) {
    if level == EventLevel::Off {
        return;
    }
    let spans = spans.unwrap_or(const { &Spans::none() });
    let Event { name, attempt, attempts, elapsed, kind } = *event;
    let call = spans.call.is_disabled().then_some(name);
    let is_open = spans.is_open(attempt);
    let number = (!is_open).then_some(attempt);
    let elapsed = legible(elapsed);
    // Entered, and not only the parent of the event: subscribers that write JSON list the spans that are entered.
    let _entered = if is_open { spans.enter() } else { spans.enter_call() };
    // A macro, because the level and the names of the fields must be constant at each call of `tracing::event!`.
    macro_rules! event {
        ($level:ident $(, $($key:ident).+ = $value:expr)*) => {
            tracing::event!(
                target: "retry", Level::$level,
                call, attempt = number, attempts, ?elapsed $(, $($key).+ = $value)*,
                "{event}"
            )
        };
        // At most at debug level, if the call asks for that.
        (quiet $level:ident $($rest:tt)*) => {
            if level == EventLevel::Debug { event!(DEBUG $($rest)*) } else { event!($level $($rest)*) }
        };
    }
    match kind {
        EventKind::AttemptStarted if attempt == 1 => event!(TRACE),
        EventKind::AttemptStarted => event!(DEBUG),
        EventKind::AttemptFailed { class, status, .. } => {
            event!(quiet INFO, class = class.as_str(), http.response.status_code = status);
        }
        EventKind::NotReady => event!(DEBUG),
        EventKind::Waiting { delay, not_ready: true, .. } => {
            event!(DEBUG, delay = tracing::field::debug(legible(delay)));
        }
        EventKind::Waiting { delay, .. } => event!(quiet INFO, delay = tracing::field::debug(legible(delay))),
        EventKind::Hedged { copy, .. } => event!(DEBUG, copy = copy),
        EventKind::Connection(what) => event!(DEBUG, connection = what.as_str()),
        EventKind::Succeeded if attempt == 1 => event!(TRACE),
        // After nothing but polls, which are at this level too.
        EventKind::Succeeded if !has_retried => event!(DEBUG),
        EventKind::Succeeded => event!(quiet INFO),
        // Not a warning, because nothing was retried in vain.
        EventKind::GaveUp(why @ (GiveUp::Permanent | GiveUp::Excluded)) if attempt == 1 => {
            event!(quiet INFO, why = why.as_str())
        }
        EventKind::GaveUp(why) => event!(quiet WARN, why = why.as_str()),
        EventKind::Cancelled => event!(DEBUG),
    }
    // After the event: otherwise a subscriber that shows the fields of the spans with each event would show these values
    // twice.
    spans.note(event);
}

/// Emits a warning about the settings of a call, once for `warned`, and not while nothing would receive it.
#[cold]
#[inline(never)]
pub(crate) fn warn_once(warned: &AtomicBool, name: &str, level: EventLevel, text: fmt::Arguments<'_>) {
    let is_received = match level {
        EventLevel::Info => tracing::enabled!(target: "retry", Level::WARN) || is_logged(),
        EventLevel::Debug => tracing::enabled!(target: "retry", Level::DEBUG) || is_debug_logged(),
        EventLevel::Off => false,
    };
    if !is_received || warned.swap(true, Relaxed) {
        return;
    }
    match level {
        EventLevel::Info => tracing::event!(target: "retry", Level::WARN, call = name, "`{name}` {text}"),
        _ => tracing::event!(target: "retry", Level::DEBUG, call = name, "`{name}` {text}"),
    }
}
