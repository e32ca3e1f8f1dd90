//! A `tracing` subscriber that records events and spans of the current thread.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, LazyLock, Mutex};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, NoSubscriber};
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// A recorded event.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) target: String,
    pub(crate) level: String,
    pub(crate) message: String,
    pub(crate) fields: BTreeMap<String, String>,
    /// The span that contains the event.
    pub(crate) span: Option<SeenSpan>,
}

#[derive(Clone, Debug)]
pub(crate) struct SeenSpan {
    pub(crate) target: String,
    pub(crate) name: String,
    /// The name of the parent span.
    pub(crate) parent: Option<String>,
    pub(crate) fields: BTreeMap<String, String>,
}

#[derive(Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<(Vec<Seen>, Vec<SeenSpan>)>>);

impl Trace {
    pub(crate) fn events(&self) -> Vec<Seen> {
        self.0.lock().unwrap().0.clone()
    }

    /// The spans of the target `retry` with all their fields, in the order in which they were closed.
    pub(crate) fn spans(&self) -> Vec<SeenSpan> {
        self.0.lock().unwrap().1.iter().filter(|span| span.target == "retry").cloned().collect()
    }
}

/// Records on this thread until the guard is dropped.
pub(crate) fn record() -> (Trace, DefaultGuard) {
    record_up_to(LevelFilter::TRACE)
}

pub(crate) fn record_up_to(level: LevelFilter) -> (Trace, DefaultGuard) {
    // With a single dispatcher, an event that another thread reaches first is registered with that thread's subscriber. That is
    // none, so the event stays disabled for all threads: https://github.com/tokio-rs/tracing/issues/3611
    static UNUSED: LazyLock<[Dispatch; 2]> =
        LazyLock::new(|| [Dispatch::new(NoSubscriber::new()), Dispatch::new(NoSubscriber::new())]);
    LazyLock::force(&UNUSED);
    let trace = Trace::default();
    let subscriber = tracing_subscriber::registry().with(trace.clone().with_filter(level));
    (trace, tracing::subscriber::set_default(subscriber))
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Trace {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let metadata = attributes.metadata();
        let span = context.span(id).unwrap();
        let parent = span.parent().map(|parent| parent.name().to_owned());
        let (target, name) = (metadata.target().to_owned(), metadata.name().to_owned());
        span.extensions_mut().insert(SeenSpan { target, name, parent, fields: fields.0 });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        context.span(id).unwrap().extensions_mut().get_mut::<SeenSpan>().unwrap().fields.extend(fields.0);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap().extensions().get::<SeenSpan>().cloned();
        self.0.lock().unwrap().1.extend(span);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let span = context.event_span(event).and_then(|span| span.extensions().get::<SeenSpan>().cloned());
        self.0.lock().unwrap().0.push(Seen {
            target: event.metadata().target().to_owned(),
            level: event.metadata().level().to_string(),
            message: fields.0.remove("message").unwrap_or_default(),
            fields: fields.0,
            span,
        });
    }
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}
