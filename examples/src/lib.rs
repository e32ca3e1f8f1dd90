//! What the examples share: small HTTP servers in the process, and a place for their logs.

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
use tracing::field::Field;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::time::uptime;

mod httpbin;
pub mod storm;

pub use self::httpbin::httpbin;

/// Serves on a free port of this machine what `answer` makes of the number of the request, from 1, and the request;
/// gives the base URL.
///
/// # Errors
///
/// When there is no free port.
pub async fn serve<F, A>(answer: F) -> io::Result<String>
where
    F: Fn(usize, Request) -> A + Clone + Send + Sync + 'static,
    A: Future<Output: IntoResponse> + Send + 'static,
{
    let requests = Arc::new(AtomicUsize::new(0));
    start(Router::new().fallback(move |request: Request| answer(requests.fetch_add(1, Ordering::Relaxed) + 1, request)))
        .await
}

async fn start(router: Router) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    // Without it, bodies arrive 40 ms late.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

/// A server that answers with these statuses, one after the other, whatever the request; the last one repeats.
///
/// # Errors
///
/// When there is no free port.
///
/// # Panics
///
/// When a status is none, or there are none.
pub async fn serve_statuses(statuses: &'static [u16]) -> io::Result<String> {
    let last = statuses.len().checked_sub(1).expect("at least one status");
    serve(move |number, _| async move {
        let status = StatusCode::from_u16(statuses[last.min(number - 1)]).expect("a status");
        (status, format!("answer {number}"))
    })
    .await
}

/// Prints the events of the target `retry`, each with the time since the program started.
pub fn print_logs() {
    tracing_subscriber::fmt()
        .compact()
        .with_env_filter("retry=trace")
        .with_timer(uptime())
        .with_target(false)
        .fmt_fields(debug_fn(sentence_and_name))
        .with_ansi(io::stdout().is_terminal())
        .with_writer(io::stdout)
        .init();
}

/// The other fields (`attempt`, `attempts`, `elapsed`, `class`, `delay` …) are for machines: the sentence says
/// the same.
fn sentence_and_name(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt::Result {
    match field.name() {
        "message" => write!(writer, "{value:?}"),
        "name" => write!(writer, "name={value:?}"),
        _ => Ok(()),
    }
}
