//! Connection events: names that are resolved, connections that are opened or reused, and redirects, each with the attempt that
//! caused it.
//!
//! [`TraceConnections::trace_connections`] makes a client report them. They are emitted with the events of the retries, as
//! [`EventKind::Connection`](crate::event::EventKind::Connection): to `tracing` at the level debug, and to the call's
//! [`Observer`](crate::Observer).
//!
//! ```
//! use retry_runtime::http::connections::TraceConnections;
//!
//! # fn client() -> reqwest::Result<reqwest::Client> {
//! reqwest::Client::builder().trace_connections().build()
//! # }
//! ```
//!
//! ```text
//! attempt 1 of 3 starts
//! attempt 1 of 3: connecting
//! attempt 1 of 3: resolving api.example
//! attempt 1 of 3: resolved api.example to 1 address in 4.1ms
//! attempt 1 of 3: connected to 192.0.2.7:80 from port 50412 in 9.8ms
//! attempt 1 of 3 failed: status 503
//! next attempt in 1s
//! attempt 2 of 3 starts
//! attempt 2 of 3: reused the connection to 192.0.2.7:80 from port 50412
//! attempt 2 of 3 succeeded
//! ```
//!
//! It works for every attempt of this crate: requests with retry, the middleware, annotated functions and hand-written loops.
//!
//! # Limitations
//!
//! - An IP address instead of a name is not resolved, nor is a name that is overridden with `ClientBuilder::resolve`. They
//!   have no event.
//! - The reuse of a connection is reported only with a response: for requests with retry, and for annotated functions and
//!   hand-written loops that return a [`reqwest::Response`].
//! - It is not reported for a connection after which 16,384 others were opened.
//! - A connection that the client's pool goes on to open after the call has ended belongs to no call, and has no event.
//! - A call without an observer and without a `tracing` subscriber has no events. Its connections are remembered, so that a
//!   later call can report that it reused one of them.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::error::Error;
use std::sync::Arc;

use http::Extensions;
use hyper_util::client::legacy::connect::Connection as Connectable;
use reqwest::ClientBuilder;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use tower_layer::Layer;
use tower_service::Service;

use super::redirects::TrackRedirects;
use crate::classify::clients::reqwest::connection_in;
use crate::classify::connection::Connection;
use crate::classify::connection::switch_on;
use crate::context::connection_event::ConnectionEvent;
use crate::context::connections::{AttemptHandle, For, remember};
use crate::observe::reason::WithSources;
use crate::util::clock::Instant;
use crate::util::mask::mask;

type Boxed = Box<dyn Error + Send + Sync>;

/// Connection events for a [`ClientBuilder`]: `Client::builder().trace_connections()`.
pub trait TraceConnections {
    /// Makes the client report its names, connections and redirects. It adds the layer [`Connections`], sets the resolver to
    /// [`Names::of_system`] and the redirect policy to [`redirects`] of reqwest's own policy, and calls
    /// [`track_redirects`](TrackRedirects::track_redirects), which switches off reqwest's own resends.
    ///
    /// To use a resolver or a redirect policy of your own, wrap it in [`Names`] or [`redirects`], and set it after this call.
    #[must_use]
    fn trace_connections(self) -> Self;
}

impl TraceConnections for ClientBuilder {
    fn trace_connections(self) -> Self {
        self.connector_layer(Connections::new())
            .dns_resolver(Arc::new(Names::of_system()))
            .redirect(redirects(Policy::default()))
            .track_redirects()
    }
}

/// A layer for [`ClientBuilder::connector_layer`] that reports when a connection is opened.
///
/// The event has the attempt whose request asked for the connection, even if the client's pool opens it in a separate task.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Connections {}

impl Connections {
    /// Creates the layer. From then on, every response in this process is asked for its connection.
    #[expect(
        clippy::new_without_default,
        reason = "creating the layer has a side effect, which a `Default` should not have"
    )]
    #[must_use]
    pub fn new() -> Self {
        switch_on();
        Self {}
    }
}

impl<S> Layer<S> for Connections {
    type Service = Connector<S>;

    fn layer(&self, inner: S) -> Connector<S> {
        Connector(inner)
    }
}

/// A connector that reports the connections that it opens. Made by [`Connections`].
///
/// # Cancel safety
///
/// Dropping its future drops the connection that is being opened, as with the connector inside. No event reports how that
/// ended.
#[derive(Clone, Debug)]
pub struct Connector<S>(S);

impl<S, T> Service<T> for Connector<S>
where
    S: Service<T, Response: Connectable + Send + 'static, Error = Boxed, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = Boxed;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, Boxed>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Boxed>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, target: T) -> Self::Future {
        // Taken here, because the pool may poll the future in a separate task, where no attempt is current.
        let attempt = AttemptHandle::current();
        let connecting = self.0.call(target);
        match attempt {
            // No event, but the connection is remembered, because a later attempt with an observer may reuse it.
            None => Box::pin(async {
                let connected = connecting.await?;
                connection_of(&connected).into_iter().for_each(remember);
                Ok(connected)
            }),
            Some(attempt) => Box::pin(For::new(Some(attempt.clone()), connect(attempt, connecting))),
        }
    }
}

async fn connect<C: Connectable + Send>(
    attempt: AttemptHandle,
    connecting: impl Future<Output = Result<C, Boxed>>,
) -> Result<C, Boxed> {
    let start = Instant::now();
    attempt.note(ConnectionEvent::Connecting);
    let connected = connecting.await;
    let took = start.elapsed();
    attempt.note(match &connected {
        Ok(connected) => ConnectionEvent::Connected { connection: connection_of(connected), took },
        Err(error) => ConnectionEvent::ConnectFailed { reason: text(&**error), took },
    });
    connected
}

fn connection_of(connected: &impl Connectable) -> Option<Connection> {
    let mut extras = Extensions::new();
    connected.connected().get_extras(&mut extras);
    connection_in(&extras)
}

/// A resolver for [`ClientBuilder::dns_resolver`] that reports when a name is resolved.
#[derive(Clone, Debug)]
pub struct Names<R = System> {
    resolver: R,
}

/// The system's resolver, which reqwest uses by default.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct System {}

impl Names {
    /// Wraps the system's resolver.
    #[must_use]
    pub fn of_system() -> Self {
        Self::around(System {})
    }
}

impl<R> Names<R> {
    /// Wraps a resolver of your own.
    #[must_use]
    pub fn around(resolver: R) -> Self {
        switch_on();
        Self { resolver }
    }
}

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

impl<R: Resolve> Resolve for Names<R> {
    fn resolve(&self, name: Name) -> Resolving {
        let Some(attempt) = AttemptHandle::current() else { return self.resolver.resolve(name) };
        let host = name.as_str().to_owned();
        let resolving = self.resolver.resolve(name);
        Box::pin(async move {
            let start = Instant::now();
            attempt.note(ConnectionEvent::Resolving { host: host.clone() });
            let resolved = resolving.await.map(Iterator::collect::<Vec<_>>);
            let took = start.elapsed();
            attempt.note(match &resolved {
                Ok(addresses) => ConnectionEvent::Resolved { host, addresses: addresses.clone(), took },
                Err(error) => ConnectionEvent::ResolveFailed { host, reason: text(&**error), took },
            });
            Ok(Box::new(resolved?.into_iter()) as Addrs)
        })
    }
}

/// A redirect policy that decides as `policy` does, and reports each redirect that reqwest asks it about, whether `policy`
/// follows the redirect or not.
#[must_use]
pub fn redirects(policy: Policy) -> Policy {
    switch_on();
    Policy::custom(move |redirect| {
        // Before `policy` decides, because reqwest does not report what it does with the decision.
        if let Some(attempt) = AttemptHandle::current() {
            let to = mask(redirect.url());
            attempt.note(ConnectionEvent::Redirected { status: redirect.status().as_u16(), to });
        }
        policy.redirect(redirect)
    })
}

/// The text of an error and its sources, with secrets masked.
fn text(error: &(dyn Error + 'static)) -> String {
    mask(&WithSources(error))
}
