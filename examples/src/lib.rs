//! What the examples share: a small HTTP server in the process, and a place for their logs.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

/// Serves `router` on a free port of this machine; gives the base URL.
///
/// # Errors
///
/// When there is no free port.
pub async fn serve(router: Router) -> io::Result<String> {
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
    static REQUESTS: AtomicUsize = AtomicUsize::new(0);
    let answer = || async {
        let number = REQUESTS.fetch_add(1, Ordering::Relaxed);
        let status = StatusCode::from_u16(statuses[number.min(statuses.len() - 1)]).expect("a status");
        (status, format!("answer {}", number + 1))
    };
    serve(Router::new().fallback(any(answer))).await
}

/// Prints events of the target `retry` as a log of a service would show them.
pub fn print_logs() {
    tracing_subscriber::fmt().with_env_filter("retry=debug").with_writer(io::stdout).init();
}
