//! The layer for servers: what a handler calls ends when the caller stops waiting.
//!
//! [`CallerLayer`] is a tower layer for axum, tonic, hyper, and any other service from [`http::Request`] to [`http::Response`].
//! It reads the time that the caller still waits from the headers of a request, and makes it the deadline of everything that
//! the handler and the body of its response call. See [`Deadline`](crate::Deadline) for what that ends.
//!
//! # axum
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::Router;
//! use axum::routing::get;
//! use retry_runtime::retry;
//! use retry_runtime::server::{Caller, CallerLayer};
//!
//! #[retry(attempts = 5, start = "50ms")]
//! async fn load(id: u32) -> std::io::Result<String> {
//!     # Ok(id.to_string())
//!     // …
//! }
//!
//! async fn page(caller: Caller) -> String {
//!     println!("attempt {:?}, {:?} left", caller.attempt(), caller.time_left());
//!     // Retries end when the caller stops waiting.
//!     load(7).await.unwrap_or_default()
//! }
//!
//! let callers = CallerLayer::new().trust_callers().at_most(Duration::from_secs(10));
//! let app: Router = Router::new().route("/", get(page)).layer(callers);
//! ```
//!
//! # tonic
//!
//! ```
//! # use std::convert::Infallible;
//! # use std::task::{Context, Poll};
//! # use tonic::body::Body;
//! # use tonic::codegen::{BoxFuture, Service, http};
//! # use tonic::server::NamedService;
//! use retry_runtime::server::{Caller, CallerLayer};
//! use tonic::transport::Server;
//! use tonic::{Request, Response, Status};
//!
//! # struct Reply;
//! # struct Greeter;
//! # impl Greeter {
//! async fn greet(&self, request: Request<()>) -> Result<Response<Reply>, Status> {
//!     let time_left = request.extensions().get::<Caller>().and_then(Caller::time_left);
//!     # let _ = time_left;
//!     # Ok(Response::new(Reply))
//!     // …
//! }
//! # }
//! # #[derive(Clone)] struct Service1;
//! # impl NamedService for Service1 { const NAME: &'static str = "greeter"; }
//! # impl Service<http::Request<Body>> for Service1 {
//! #     type Response = http::Response<Body>;
//! #     type Error = Infallible;
//! #     type Future = BoxFuture<Self::Response, Infallible>;
//! #     fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> { Poll::Ready(Ok(())) }
//! #     fn call(&mut self, _: http::Request<Body>) -> Self::Future { Box::pin(async { Ok(http::Response::default()) }) }
//! # }
//!
//! let server = Server::builder().layer(CallerLayer::new().trust_callers());
//! # let mut server = server;
//! # let greeter = Service1;
//! let router = server.add_service(greeter);
//! ```
//!
//! # Trust
//!
//! A layer reads no header until [`trust_callers`](CallerLayer::trust_callers) is set, because every client can send one. What it
//! reads can only shorten the time: see [Trust](crate::guide::services#trust). [`Propagation`](crate::propagation::Propagation)
//! has the headers, and the other direction.
//!
//! # The layer ends nothing
//!
//! A handler that waits for something else goes on when the caller has left. To cut it off, put
//! `tower_http::timeout::TimeoutLayer` around the routes, tonic's
//! [`Server::timeout`](https://docs.rs/tonic/latest/tonic/transport/struct.Server.html#method.timeout), or a line into the
//! handler:
//!
//! ```
//! # use retry_runtime::Deadline;
//! # async fn work() -> String { String::new() }
//! # async fn handler() -> Result<String, tokio::time::error::Elapsed> {
//! match Deadline::current() {
//!     Some(deadline) => tokio::time::timeout(deadline.remaining(), work()).await,
//!     None => Ok(work().await),
//! }
//! # }
//! ```
//!
//! A function without a `deadline` or an `attempt_timeout` of its own stops retrying in time, but a single attempt of it runs to
//! its end, because its error need not be made from [`TimedOut`](crate::TimedOut). Requests with retry are always cut off.
//!
//! # Exhausted retries
//!
//! If a response is a failure, and the last failed call behind it has exhausted its retries, then the layer marks the response
//! with the header `x-retries-exhausted: 1`, so that the caller need not retry it again. In gRPC, the header may be among the
//! trailers. A failure is a status from 500, a 429, or a gRPC status that is not 0.
//!
//! The layer knows the calls that the handler polls itself, but not whether the response reports their failure. A handler
//! that ignores the failure of a call and then fails for another reason has a marked response too.

#[cfg(feature = "axum")]
mod axum;
mod body;
mod caller;
mod layer;
mod scope;

#[cfg(feature = "axum")]
pub use self::axum::MissingCallerLayer;
pub use self::body::CallerBody;
pub use self::caller::Caller;
pub use self::layer::{CallerFuture, CallerLayer, CallerService};
