//! Spans and events for `tracing`: a span for each call, in it one for each attempt, and the events inside these.

use tracing::field::{Empty, display};
pub(crate) use tracing::span::Entered;
use tracing::{Id, Level, Span};

use crate::observe::event::{Event, EventKind, GiveUp};
use crate::util::durations::legible;

/// True if the library has spans at all.
pub(crate) const ENABLED: bool = true;

/// The spans of a call that `tracing` listens to. Names with a dot are those of OpenTelemetry's conventions, and `otel.status_code`
/// is what tracing-opentelemetry makes the status of a span of.
pub(crate) struct Spans {
    call: Span,
    attempt: Span,
    /// Of the attempt whose span is open.
    number: u32,
}

impl Spans {
    pub(crate) const fn none() -> Self {
        Self { call: Span::none(), attempt: Span::none(), number: 0 }
    }

    /// An attempt starts: opens its span, and before the first one that of the call.
    pub(crate) fn start(&mut self, name: &str, number: u32) {
        if self.call.is_disabled() {
            self.call = tracing::info_span!(
                target: "retry", "retry",
                name, attempts_made = Empty, error.type = Empty, otel.status_code = Empty
            );
        }
        let resent = (number > 1).then(|| number - 1);
        self.number = number;
        self.attempt = tracing::info_span!(
            target: "retry", parent: self.innermost(), "attempt",
            attempt = number, http.request.resend_count = resent,
            http.response.status_code = Empty, error.type = Empty, otel.status_code = Empty
        );
    }

    /// What followed from the attempt has been said.
    pub(crate) fn end_attempt(&mut self) {
        self.attempt = Span::none();
    }

    pub(crate) fn enter(&self) -> Entered<'_> {
        self.attempt.enter()
    }

    /// That of the attempt, else of the call, else the one that is entered. An explicit parent of `None` would be a root.
    fn innermost(&self) -> Option<Id> {
        self.attempt.id().or_else(|| self.around())
    }

    fn around(&self) -> Option<Id> {
        self.call.id().or_else(|| Span::current().id())
    }

    /// Returns whether the span of this attempt is open. A connection may be made for an attempt that is over.
    fn is_open(&self, attempt: u32) -> bool {
        self.number == attempt && !self.attempt.is_disabled()
    }

    /// Notes on the spans what they are judged by.
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

/// True if a subscriber of `tracing` may be interested.
#[inline(always)]
pub(crate) fn is_enabled() -> bool {
    tracing::level_filters::LevelFilter::current() >= tracing::level_filters::LevelFilter::WARN
}

/// True if `tracing` passes its events to `log`, as it does while it has no subscriber.
#[cfg(feature = "log")]
#[inline(always)]
pub(crate) fn is_logged() -> bool {
    log::max_level() >= log::LevelFilter::Warn && !tracing::dispatcher::has_been_set()
}

#[cfg(not(feature = "log"))]
#[inline(always)]
pub(crate) const fn is_logged() -> bool {
    false
}

/// Emits an event in the innermost span. Fields that the spans have are left out.
pub(crate) fn emit(spans: Option<&Spans>, event: &Event<'_>) {
    let spans = spans.unwrap_or(const { &Spans::none() });
    let Event { name, attempt, attempts, elapsed, kind } = *event;
    let name = spans.call.is_disabled().then_some(name);
    let is_open = spans.is_open(attempt);
    let number = (!is_open).then_some(attempt);
    let elapsed = legible(elapsed);
    let parent = if is_open { spans.innermost() } else { spans.around() };
    // The level and the names of fields must be known where the macro stands.
    macro_rules! event {
        ($level:ident $(, $($key:ident).+ = $value:expr)*) => {
            tracing::event!(
                target: "retry", parent: parent, Level::$level,
                name, attempt = number, attempts, ?elapsed $(, $($key).+ = $value)*,
                "{event}"
            )
        };
    }
    match kind {
        EventKind::AttemptStarted if attempt == 1 => event!(TRACE),
        EventKind::AttemptStarted => event!(DEBUG),
        EventKind::AttemptFailed { class, status, .. } => {
            event!(INFO, class = class.as_str(), http.response.status_code = status);
        }
        EventKind::Waiting { delay, .. } => event!(INFO, delay = tracing::field::debug(legible(delay))),
        EventKind::Hedged { copy, .. } => event!(DEBUG, copy = copy),
        EventKind::Connection(what) => event!(DEBUG, connection = what.as_str()),
        EventKind::Succeeded if attempt == 1 => event!(TRACE),
        EventKind::Succeeded => event!(INFO),
        // Nothing was tried in vain.
        EventKind::GaveUp(why @ GiveUp::Permanent) if attempt == 1 => event!(INFO, why = why.as_str()),
        EventKind::GaveUp(why) => event!(WARN, why = why.as_str()),
        EventKind::Cancelled => event!(DEBUG),
    }
    // Afterwards, or a line that shows the spans would show it twice.
    spans.note(event);
}
