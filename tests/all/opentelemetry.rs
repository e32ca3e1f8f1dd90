//! Spans exported to OpenTelemetry.

use opentelemetry::trace::{SpanId, Status, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use retry_runtime::retry;
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{Attempts, Fault};

#[retry(attempts = 3, start = "1s", name = "orders")]
async fn orders(attempts: &Attempts, succeed_at: u32) -> Result<u32, Fault> {
    attempts.succeed_at(succeed_at, Fault::status(503))
}

/// The spans of such a call, in the order of their start.
async fn spans(succeed_at: u32) -> Vec<SpanData> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let _ = orders(&Attempts::new(), succeed_at).await;
    let mut spans = exporter.get_finished_spans().unwrap();
    spans.sort_by_key(|span| span.start_time);
    spans
}

fn attribute(span: &SpanData, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == key)?;
    Some(found.value.to_string())
}

#[tokio::test(start_paused = true)]
async fn attempt_spans_are_children_of_the_call_span() {
    let spans = spans(3).await;
    let call = &spans[0];
    assert_eq!((call.name.as_ref(), call.parent_span_id), ("retry", SpanId::INVALID));
    assert_eq!(attribute(call, "call").as_deref(), Some("orders"));
    assert_eq!(attribute(call, "attempts_made").as_deref(), Some("3"));
    assert_eq!(spans.len(), 4);
    for attempt in &spans[1..] {
        assert_eq!((attempt.name.as_ref(), attempt.parent_span_id), ("attempt", call.span_context.span_id()));
    }
}

#[tokio::test(start_paused = true)]
async fn failed_attempt_spans_are_errors_and_only_retries_have_a_resend_count() {
    let spans = spans(2).await;
    let found: Vec<_> = spans[1..]
        .iter()
        .map(|span| {
            let is_error = matches!(span.status, Status::Error { .. });
            let key = |key| attribute(span, key);
            (is_error, key("http.request.resend_count"), key("http.response.status_code"), key("error.type"))
        })
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(found, [(true, None, text("503"), text("503")), (false, text("1"), None, None)]);
}

#[tokio::test(start_paused = true)]
async fn call_span_is_an_error_if_the_call_gave_up() {
    let recovered = &spans(3).await[0];
    assert_eq!((&recovered.status, attribute(recovered, "error.type")), (&Status::Unset, None));
    let gave_up = &spans(9).await[0];
    assert!(matches!(gave_up.status, Status::Error { .. }));
    assert_eq!(attribute(gave_up, "error.type").as_deref(), Some("exhausted"));
}

#[tokio::test(start_paused = true)]
async fn events_belong_to_the_span_of_their_attempt() {
    let spans = spans(2).await;
    let events = |span: &SpanData| span.events.iter().map(|event| event.name.to_string()).collect::<Vec<_>>();
    assert_eq!(events(&spans[0]), ["next attempt in 1s"]);
    assert_eq!(events(&spans[1]), ["attempt 1 of 3 starts", "attempt 1 of 3 failed: fault"]);
    assert_eq!(events(&spans[2]), ["attempt 2 of 3 starts", "attempt 2 of 3 succeeded"]);
}
