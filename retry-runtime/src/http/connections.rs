//! What happens on the wire: names that are resolved, connections that are made or used again, redirects, each for the
//! attempt that caused it.
//!
//! [`TraceConnections::trace_connections`] sets a client up for it. The events come where those of the retries come, as
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
//! attempt 2 of 3: connection to 192.0.2.7:80 from port 50412 used again
//! attempt 2 of 3 succeeded
//! ```
//!
//! It works for every attempt of this crate: requests with retry, the middleware, annotated functions and loops by hand.
//!
//! # What it does not see
//!
//! - An address in the place of a name, and a name that `ClientBuilder::resolve` was told, are not resolved.
//! - "Used again" needs a response: it is said of requests with retry, and of annotated functions and loops by hand that
//!   give a [`reqwest::Response`].
//! - Nor is it said of a connection after which 16,384 others were made: no more of them are remembered for certain.
//! - A connection that the client's pool goes on to make after the call has ended is nobody's, and not said.
//! - A call without an observer and without a `tracing` subscriber has no events. Its connections are remembered, so that a
//!   later call can report that it used one of them again.

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

/// `Client::builder().trace_connections()`.
pub trait TraceConnections {
    /// Reports everything that the client does on the wire: adds [`Connections`], sets the resolver to [`Names::of_system`],
    /// the redirects to [`redirects`] of reqwest's own policy, and [`track_redirects`](TrackRedirects::track_redirects), which
    /// switches off reqwest's own resends.
    ///
    /// For a resolver or a redirect policy of yours, set [`Names`] around it, or [`redirects`] of it, after this.
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

/// A layer for [`ClientBuilder::connector_layer`]: tells when a connection is made.
///
/// The attempt is the one whose request asked for the connection, also where the client's pool makes it in a task of its
/// own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Connections {}

impl Connections {
    /// The layer.
    #[expect(clippy::new_without_default, reason = "making one switches something on")]
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

/// A connector that tells. Made by [`Connections`].
///
/// # Cancel safety
///
/// Its future drops the connection that is being made, as the one inside does; how that ended is not told then.
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
        // Now, for the pool may poll the future in a task of its own.
        let attempt = AttemptHandle::current();
        let connecting = self.0.call(target);
        match attempt {
            // A later attempt with an observer may use the connection.
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

/// A resolver for [`ClientBuilder::dns_resolver`] that tells when a name is resolved.
#[derive(Clone, Debug)]
pub struct Names<R = System> {
    resolver: R,
}

/// The system's resolver, as reqwest uses it by itself.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct System {}

impl Names {
    /// Around the system's resolver.
    #[must_use]
    pub fn of_system() -> Self {
        Self::around(System {})
    }
}

impl<R> Names<R> {
    /// Around a resolver of yours.
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

/// A redirect policy that decides as `policy` does, and tells of each redirect that it is asked about.
#[must_use]
pub fn redirects(policy: Policy) -> Policy {
    switch_on();
    Policy::custom(move |redirect| {
        if let Some(attempt) = AttemptHandle::current() {
            let to = mask(redirect.url());
            attempt.note(ConnectionEvent::Redirected { status: redirect.status().as_u16(), to });
        }
        policy.redirect(redirect)
    })
}

fn text(error: &(dyn Error + 'static)) -> String {
    mask(&WithSources(error))
}
