//! A retry policy for tower's services.
//!
//! [`TowerPolicy`] is a layer for [`ServiceBuilder::layer`](::tower::ServiceBuilder::layer): it retries the service below
//! it, and runs each attempt in its span. It uses the same engine as an annotated function, and emits the same events.
//! It counts and waits in memory. For retries that survive a restart, use a [job queue](crate::guide::durable).
//!
//! It is also a [`tower::retry::Policy`], for `ServiceBuilder::retry` and `RetryLayer::new`, with [less](#layer-or-retry).
//!
//! ```
//! use std::time::Duration;
//!
//! use retry_runtime::Policy;
//! use retry_runtime::tower::TowerPolicy;
//! use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
//!
//! const POLICY: Policy = Policy::exponential(Duration::from_millis(1)).attempts(3);
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let jobs = service_fn(async |job: String| match job.len() {
//!     0 => Err("no job".to_owned()),
//!     length => Ok(length),
//! });
//! # let jobs = jobs.map_err(std::io::Error::other);
//! let mut jobs = ServiceBuilder::new().layer(TowerPolicy::new(POLICY).name("jobs")).service(jobs);
//! assert_eq!(jobs.ready().await.unwrap().call("four".to_owned()).await.unwrap(), 4);
//! # });
//! ```
//!
//! # Differences from an annotated function
//!
//! - Nothing cuts off an attempt. A `deadline` only ends the retries. A policy with an `attempt_timeout` panics, at compile time
//!   if the policy is a `const`. Put tower's `TimeoutLayer` below the retry layer instead: its error is classified as transient.
//! - A response that is retried is dropped before the pause, and not drained.
//! - A request that cannot be cloned is sent once, and without events, because tower does not ask the policy about its outcome.
//! - If the service returns an error when tower asks whether it is ready, tower ends the call with that error and does not ask the
//!   policy. The last event is `Cancelled`.
//!
//! # `layer` or `retry`
//!
//! tower asks a policy before and after an attempt, but not while the service runs. Everything that concerns the running
//! attempt needs a service below the retry layer. `layer` adds that service, which is [`InAttempt`].
//!
//! | property | `.layer(policy)` | `.retry(policy)` |
//! |---|---|---|
//! | events, and the spans of the call and its attempts | yes | yes |
//! | the service runs in the span of the attempt | yes | no |
//! | nested calls see the deadline, and `nested` applies to them | yes | no |
//! | events of connections, with `trace_connections` | yes | no |
//! | a POST is retried with `track_redirects` | yes | no |
//! | [`propagate`](TowerPolicy::propagate) | yes | does not compile |
//!
//! # Headers for the next service
//!
//! [`TowerPolicy::propagate`] adds the time left and the number of the attempt to each request. Around tonic's `Channel`, it retries
//! connections that fail and streams that are refused. Failures that a gRPC server reports are in the trailers, which HTTP does not
//! look at: for these, annotate a function, and [decorate](crate::propagation::Propagation::decorate) its requests. The body of a request
//! of tonic is a stream, so that it has to be read before the first attempt:
//!
//! ```
//! # #[cfg(feature = "tonic")]
//! # mod example {
//! # use std::time::Duration;
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use hyper::body::Bytes;
//! use retry_runtime::Policy;
//! use retry_runtime::propagation::Propagation;
//! use retry_runtime::tower::TowerPolicy;
//! use tonic::{Status, body::Body};
//! use tower::{Service, ServiceBuilder, ServiceExt};
//!
//! const POLICY: Policy = Policy::new().attempts(3).deadline(Duration::from_secs(2));
//!
//! /// Sends one request through the channel. `service_fn` makes a service of it, for the generated client.
//! async fn send<C, E>(channel: C, request: Request<Body>) -> Result<Response<Body>, Status>
//! where
//!     C: Service<Request<Body>, Response = Response<Body>, Error = E> + Clone,
//!     E: std::error::Error + Send + Sync + 'static,
//! {
//!     // Each request of gRPC is a POST. Only a method that may run twice is retried here.
//!     let layer = TowerPolicy::http(POLICY).idempotent().propagate(Propagation::grpc());
//!     let service = ServiceBuilder::new()
//!         .layer(layer)
//!         .map_err(|error: E| Status::from_error(Box::new(error)))
//!         .map_request(|request: Request<Full<Bytes>>| request.map(Body::new))
//!         .service(channel);
//!     let (head, body) = request.into_parts();
//!     let body = body.collect().await?.to_bytes();
//!     service.oneshot(Request::from_parts(head, Full::new(body))).await
//! }
//! # }
//! ```
//!
//! If a type does not fit, rustc only reports that the layered service does not implement `Service`. The requirements are: the
//! request is `Clone`, or the policy has [`cloning`](TowerPolicy::cloning); the service is `Clone`; and its error implements
//! [`Retryable`](crate::Retryable) and `Display`.

mod call;
mod in_attempt;
mod kind;
mod policy;
mod propagating;

pub use self::call::TowerPause;
pub use self::in_attempt::{InAttempt, ServiceFuture};
pub use self::kind::{AnyRequest, CloneRequest, CloneWith, Cloned, HttpRequests, Kind};
pub use self::policy::TowerPolicy;
pub use self::propagating::{Propagating, WithHeaders};
