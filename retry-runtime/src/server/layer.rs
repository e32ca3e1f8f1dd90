//! The layer, its service, and the future of a request.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::body::CallerBody;
use super::caller::Caller;
use super::scope::RequestScope;
use crate::context::captured::Deadline;
use crate::propagation::{Propagation, Received};

/// Serves each request under the deadline of its caller. A layer for services from [`http::Request`] to [`http::Response`].
///
/// The time counts from when the request reaches the layer, so put it outside of layers that make requests wait, such as a limit on
/// concurrency. See [the module](super) for examples.
///
/// ```
/// use std::time::Duration;
/// use retry_runtime::server::CallerLayer;
///
/// const CALLERS: CallerLayer = CallerLayer::new().trust_callers().at_most(Duration::from_secs(30));
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct CallerLayer {
    trusts: bool,
    at_most: Option<Duration>,
    propagation: Propagation,
}

impl Default for CallerLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl CallerLayer {
    /// A layer that reads no header and has no maximum. It only marks responses whose [retries are exhausted](super#exhausted-retries).
    pub const fn new() -> Self {
        Self { trusts: false, at_most: None, propagation: Propagation::new() }
    }

    /// Reads the headers of requests. For services whose callers are known, or behind a gateway that removes these headers from
    /// requests of strangers. Defaults to not reading them.
    pub const fn trust_callers(self) -> Self {
        Self { trusts: true, ..self }
    }

    /// Sets the maximum time for a request, with and without a header, and whether callers are trusted or not. Defaults to no maximum.
    ///
    /// The service has chosen this time itself, so a call that it ends counts as a failure of the service that was called, and
    /// gives up with [`GiveUp::Deadline`](crate::event::GiveUp::Deadline).
    ///
    /// After a maximum of zero, calls inside make no retries.
    pub const fn at_most(self, time: Duration) -> Self {
        Self { at_most: Some(time), ..self }
    }

    /// Sets the names of the headers. Defaults to [`Propagation::new`]. Requests of gRPC always have gRPC's headers.
    pub const fn propagation(self, propagation: Propagation) -> Self {
        Self { propagation, ..self }
    }

    /// The caller of a request that has just been received.
    fn caller<B>(&self, request: &Request<B>) -> Caller {
        let received = if self.trusts { self.propagation.read(request.headers()) } else { Received::default() };
        let around = Deadline::current();
        let of_service = self.at_most.filter(|most| received.time_left.is_none_or(|left| *most <= left));
        let deadline = of_service.map(Deadline::of_service).or(received.time_left.map(Deadline::after));
        let deadline = deadline.map_or(around, |deadline| Some(deadline.within(around)));
        Caller { deadline, attempt: received.attempt }
    }
}

impl<S> Layer<S> for CallerLayer {
    type Service = CallerService<S>;

    fn layer(&self, service: S) -> CallerService<S> {
        CallerService { layer: *self, service }
    }
}

/// A service that serves each request under the deadline of its caller. Made by [`CallerLayer`].
#[derive(Clone, Debug)]
pub struct CallerService<S> {
    layer: CallerLayer,
    service: S,
}

impl<S, A, B> Service<Request<A>> for CallerService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = Response<CallerBody<B>>;
    type Error = S::Error;
    type Future = CallerFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let caller = self.layer.caller(&request);
        request.extensions_mut().insert(caller);
        let propagation = self.layer.propagation;
        let mut scope = RequestScope { deadline: caller.deadline, propagation, nested_exhausted: false };
        let future = scope.within(|| self.service.call(request));
        CallerFuture { scope, future: Some(future) }
    }
}

pin_project! {
    /// The future of a response. Everything that it polls sees the deadline of the request.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the future of the service inside, and nothing else.
    #[must_use = "a request is not served unless its future is awaited"]
    pub struct CallerFuture<F> {
        scope: RequestScope,
        // `None` once it is dropped.
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for CallerFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // A breaker's probe looks at the deadline when it is dropped.
            this.scope.within(|| this.future.set(None));
        }
    }
}

impl<F, B, E> Future for CallerFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<CallerBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else { return Poll::Pending };
        let (mut head, body) = ready!(this.scope.within(|| future.poll(cx)))?.into_parts();
        this.scope.mark_response(head.status, &mut head.headers);
        Poll::Ready(Ok(Response::from_parts(head, CallerBody::new(*this.scope, body))))
    }
}

impl<F> fmt::Debug for CallerFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerFuture").field("deadline", &self.scope.deadline).finish_non_exhaustive()
    }
}
