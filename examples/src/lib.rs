//! Shared parts of the examples: small HTTP servers in the process, logging, and tests that run the examples.

use std::fmt::{self, Debug};
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::uptime;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

mod httpbin;
mod run;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

pub use self::httpbin::httpbin;
pub use self::run::output_of;

/// Starts a server on a free local port and returns its base URL. `respond` receives the number of the request, starting
/// from 1, and the request.
///
/// # Errors
///
/// Returns an error if no port is free.
pub async fn serve<F, R>(respond: F) -> io::Result<String>
where
    F: Fn(usize, Request) -> R + Clone + Send + Sync + 'static,
    R: Future<Output: IntoResponse> + Send + 'static,
{
    let requests = Arc::new(AtomicUsize::new(0));
    start(
        Router::new().fallback(move |request: Request| respond(requests.fetch_add(1, Ordering::Relaxed) + 1, request)),
    )
    .await
}

async fn start(router: Router) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    // Without `TCP_NODELAY`, bodies arrive 40 ms late.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

/// Starts a server that returns these statuses in order for any request, and repeats the last one.
///
/// # Errors
///
/// Returns an error if no port is free.
///
/// # Panics
///
/// Panics if `statuses` is empty or contains an invalid status.
pub async fn serve_statuses(statuses: &'static [u16]) -> io::Result<String> {
    let last = statuses.len().checked_sub(1).expect("at least one status");
    serve(move |number, _| async move {
        let status = StatusCode::from_u16(statuses[last.min(number - 1)]).expect("a valid status");
        (status, format!("response {number}"))
    })
    .await
}

/// Prints the events of the target `retry`, each with the time since the program started and its spans.
pub fn print_logs() {
    let layer = tracing_subscriber::fmt::layer()
        .with_timer(uptime())
        .with_target(false)
        .fmt_fields(Messages)
        .with_ansi(io::stdout().is_terminal())
        .with_writer(io::stdout);
    let only_retries = Targets::new().with_target("retry", LevelFilter::TRACE);
    tracing_subscriber::registry().with(layer.with_filter(only_retries)).init();
}

/// Shows the name or number of a span, and the message of an event. The other fields (`elapsed`, `class`, `delay` …) are
/// for machines.
struct Messages;

impl<'w> FormatFields<'w> for Messages {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut shown = Shown::default();
        fields.record(&mut shown);
        writer.write_str(shown.message.as_ref().or(shown.identity.as_ref()).map_or("", |text| text))
    }
}

#[derive(Default)]
struct Shown {
    message: Option<String>,
    identity: Option<String>,
}

impl Visit for Shown {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.message = Some(format!("{value:?}")),
            name @ ("call" | "attempt") => self.identity = Some(format!("{name}={value:?}")),
            _ => {}
        }
    }
}
