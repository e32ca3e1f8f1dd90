//! All observability features together: logs, spans for OpenTelemetry, metrics for Prometheus, and the report.
//!
//! `cargo run -p retry-examples-integrations --example observability`

use std::error::Error;
use std::time::Duration;

use axum::{Router, routing::get};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use opentelemetry::trace::{SpanId, Status, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use reqwest::{Client, Response};
use retry_runtime::http::{RequestRetry, SendWithRetry};
use retry_runtime::stats::report;
use retry_runtime::{Policy, retry, track};
use tokio::net::TcpListener;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[retry(attempts = 3, backoff = "exponential", start = "100ms", name = "price")]
async fn price(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(format!("{url}?token=s3cret")).send().await
}

static ORDER: RequestRetry = RequestRetry::new(Policy::fixed(Duration::from_millis(50)).attempts(2)).name("order");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let spans = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    tracing_subscriber::registry()
        .with(Targets::new().with_target("retry", Level::DEBUG))
        .with(tracing_subscriber::fmt::layer().without_time().with_ansi(false).with_writer(std::io::stdout))
        .with(
            tracing_opentelemetry::layer()
                .with_location(false)
                .with_threads(false)
                .with_tracer(provider.tracer("shop")),
        )
        .init();
    let prometheus = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full("retry_attempts_per_call".into()), &[1.0, 2.0, 3.0])?
        .set_buckets_for_metric(Matcher::Full("retry_delay_seconds".into()), &[0.1, 1.0])?
        .install_recorder()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let metrics = format!("http://{}/metrics", listener.local_addr()?);
    let router = Router::new().route("/metrics", get(|| async move { prometheus.render() }));
    tokio::spawn(async { axum::serve(listener, router).await });

    println!("# Logs at level debug\n");
    let client = Client::new();
    let shop = retry_examples::serve_statuses(&[200, 503, 503, 200, 404, 503]).await?;
    for _ in 0..4 {
        let report = track(price(&client, &shop)).await;
        println!("price: {} attempt(s), {}", report.attempts(), report.outcome?.status());
    }
    let refusing = "http://user:pa55word@127.0.0.1:1/?token=s3cret";
    println!("order: {}", client.put(refusing).send_with_retry(&ORDER).await.is_ok());

    println!("\n# Exported spans\n");
    let spans = spans.get_finished_spans()?;
    for call in spans.iter().filter(|span| span.parent_span_id == SpanId::INVALID) {
        println!("{}", Line(call));
        for attempt in spans.iter().filter(|span| span.parent_span_id == call.span_context.span_id()) {
            println!("  {}", Line(attempt));
        }
    }

    println!("\n# Prometheus metrics\n");
    println!("{}", client.get(metrics).send().await?.text().await?.trim());

    println!("\n# Report\n\n{}", report());
    Ok(())
}

/// Formats a span with its attributes and events in one line.
struct Line<'a>(&'a SpanData);

impl std::fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.name)?;
        // Skip the attributes of the program, such as the module and the target.
        for attribute in &self.0.attributes {
            if !["code.", "target", "busy_ns", "idle_ns"].iter().any(|own| attribute.key.as_str().starts_with(own)) {
                write!(f, " {}={}", attribute.key, attribute.value)?;
            }
        }
        if matches!(self.0.status, Status::Error { .. }) {
            write!(f, " ERROR")?;
        }
        let events: Vec<_> = self.0.events.iter().map(|event| event.name.as_ref()).collect();
        write!(f, " [{}]", events.join("; "))
    }
}
