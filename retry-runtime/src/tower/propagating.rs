//! The layer that retries a service and sends the time left and the number of the attempt with each request.

use core::fmt;
use core::task::{Context, Poll};

use ::tower::retry::Retry;
use ::tower::{Layer, Service};

use super::call::starting_attempt;
use super::in_attempt::InAttempt;
use super::kind::{Cloned, HttpRequests};
use super::policy::TowerPolicy;
use crate::propagation::{Propagation, RequestHeaders};

/// A [`TowerPolicy`] as a layer that also adds headers to the request of each attempt. Made by
/// [`TowerPolicy::propagate`].
///
/// It is not a [`tower::retry::Policy`](::tower::retry::Policy): tower asks a policy for a clone of a request before it sends the
/// request, and sends the original. So `ServiceBuilder::retry` does not accept it:
///
/// ```compile_fail,E0277
/// # use retry_runtime::{Policy, propagation::Propagation, tower::TowerPolicy};
/// fn policy<P: tower::retry::Policy<http::Request<()>, http::Response<()>, std::io::Error>>(_: P) {}
///
/// policy(TowerPolicy::http(Policy::new()).propagate(Propagation::new()));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Propagating<C = Cloned> {
    policy: TowerPolicy<HttpRequests, C>,
    propagation: Propagation,
}

impl<C> TowerPolicy<HttpRequests, C> {
    /// Makes a layer that also sends the time left and the number of the attempt with each request: see
    /// [`propagation`](crate::propagation). To be called last, because the layer has no settings of its own.
    ///
    /// The time is that until the policy's deadline or the deadline of a call around, whichever is earlier. A timeout of another layer is
    /// unknown. A request that cannot be cloned, and so is sent only once, has the time until the deadline of the call around.
    ///
    /// ```
    /// # use std::{convert::Infallible, time::Duration};
    /// # use http::{Request, Response};
    /// # use retry_runtime::{Policy, tower::TowerPolicy};
    /// # use tower::{ServiceBuilder, ServiceExt, service_fn};
    /// use retry_runtime::propagation::Propagation;
    ///
    /// const POLICY: Policy = Policy::new().deadline(Duration::from_secs(2));
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let service = service_fn(async |request: Request<()>| {
    ///     assert_eq!(request.headers()["x-envoy-attempt-count"], "1");
    ///     assert!(request.headers().contains_key("x-envoy-expected-rq-timeout-ms"));
    ///     Ok::<_, std::io::Error>(Response::new(()))
    /// });
    /// let layer = TowerPolicy::http(POLICY).name("orders").propagate(Propagation::new());
    /// ServiceBuilder::new().layer(layer).service(service).oneshot(Request::new(())).await.unwrap();
    /// # });
    /// ```
    pub fn propagate(self, propagation: Propagation) -> Propagating<C> {
        Propagating { policy: self.reading(propagation), propagation }
    }
}

impl<S, C: Clone> Layer<S> for Propagating<C> {
    type Service = Retry<TowerPolicy<HttpRequests, C>, WithHeaders<InAttempt<S>>>;

    fn layer(&self, service: S) -> Self::Service {
        let service = WithHeaders { service: self.policy.in_attempts(service), propagation: self.propagation };
        Retry::new(self.policy.clone(), service)
    }
}

/// A service that adds the headers of the attempt to each request. Made by [`Propagating`], directly below the retry.
#[derive(Clone)]
pub struct WithHeaders<S> {
    service: S,
    propagation: Propagation,
}

impl<Request: RequestHeaders, S: Service<Request>> Service<Request> for WithHeaders<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> S::Future {
        self.propagation.decorate(&mut request, &starting_attempt());
        self.service.call(request)
    }
}

impl<S: fmt::Debug> fmt::Debug for WithHeaders<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithHeaders").field("service", &self.service).finish_non_exhaustive()
    }
}
