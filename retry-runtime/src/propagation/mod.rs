//! Propagation: the time left and the number of an attempt, for the next service, and its answer about further attempts.
//!
//! The next service learns how long its caller still waits, and the caller learns that a failure has been retried already. The
//! [chapter on services](crate::guide::services) has the reasons. [`Propagation`] is the set of headers for both.
//!
//! ```
//! # #[cfg(feature = "reqwest")]
//! # mod example {
//! use std::time::Duration;
//!
//! use retry_runtime::Policy;
//! use retry_runtime::http::{RequestRetry, SendWithRetry};
//! use retry_runtime::propagation::Propagation;
//!
//! const POLICY: Policy = Policy::new().attempts(3).deadline(Duration::from_secs(2));
//!
//! static ORDERS: RequestRetry = RequestRetry::new(POLICY).propagate(Propagation::new());
//!
//! async fn order(client: &reqwest::Client, url: &str) -> reqwest::Result<reqwest::Response> {
//!     client.get(url).send_with_retry(&ORDERS).await
//! }
//! # }
//! ```
//!
//! # What is sent
//!
//! Nothing, unless it is switched on:
//!
//! | where | how |
//! |---|---|
//! | [`send_with_retry`](crate::http::SendWithRetry), [`send_first_of`](crate::http::SendFirstOf), the middleware | [`RequestRetry::propagate`](crate::http::RequestRetry::propagate) |
//! | services of tower, such as tonic's `Channel` | [`TowerPolicy::propagate`](crate::tower::TowerPolicy::propagate) |
//! | annotated functions, [`retrying!`](crate::retrying), loops, closures; tonic's clients | [`Propagation::decorate`], with the [`Attempt`](crate::Attempt) |
//!
//! | information | HTTP, [`Propagation::new`] | gRPC, [`Propagation::grpc`] |
//! |---|---|---|
//! | the time left | `x-envoy-expected-rq-timeout-ms`: whole milliseconds, at least 1 | `grpc-timeout`: at most 8 digits and a unit, at least `1n` |
//! | the number of the attempt | `x-envoy-attempt-count`: 1, 2, 3, … | `grpc-previous-rpc-attempts`: absent, 1, 2, … |
//!
//! The time is computed anew for each attempt: the shortest of the [attempt timeout](crate::Policy::attempt_timeout), the
//! [deadline](crate::Policy::deadline), the deadline of a call around, and the timeout of the request itself. It is rounded down.
//! A call without any of them sends no time. The number is for logs and traces.
//!
//! # What is read
//!
//! The responses of all clients that the library classifies are read, with or without a `Propagation`, if they are failures. A
//! server can only delay and prevent retries in this way, never cause one, and no condition overrides it.
//!
//! | header of a response, or gRPC metadata | effect | reason, in events |
//! |---|---|---|
//! | `x-retries-exhausted: 1` | no retry: a service below has made them. A [call around](crate::Policy::nested) makes none either | [`ExhaustedBelow`](crate::event::GiveUp::ExhaustedBelow) |
//! | `x-envoy-overloaded`, `x-envoy-ratelimited` | no retry, unless the server also asks for a delay. Envoy does not retry them either | [`ServerRefused`](crate::event::GiveUp::ServerRefused) |
//! | `grpc-retry-pushback-ms`, negative or invalid | no retry | [`ServerRefused`](crate::event::GiveUp::ServerRefused) |
//! | `grpc-retry-pushback-ms` | a [server delay](crate::Policy::retry_after), instead of `google.rpc.RetryInfo` | |
//! | `Retry-After` | a [server delay](crate::Policy::retry_after) | |
//!
//! Your own error types can ask for the same: [`NoRetry`](crate::outcome::NoRetry). The first header can have
//! [another name](Propagation::exhausted_header), which the requests with that `Propagation` read in addition.
//!
//! # Where the names are from
//!
//! Names and formats are those of Envoy's [router
//! filter](https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter) and of gRPC
//! ([protocol](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md),
//! [A6](https://github.com/grpc/proposal/blob/master/A6-client-retries.md)), so services without this library take part. All of
//! them send durations. Points in time would need synchronized clocks. No convention exists for `x-retries-exhausted`, so the
//! name is this library's.
//!
//! Envoy overwrites the time with the timeout of its own route, if that has one, and the number with that of its own attempt, if it
//! counts them. It obeys the time only if its option `respect_expected_rq_timeout` is on.

mod names;
mod protocol;
mod request;
mod time;

pub use self::protocol::Propagation;
#[allow(unused_imports, reason = "not all sets of features receive requests")]
pub(crate) use self::protocol::Received;
pub use self::request::RequestHeaders;
