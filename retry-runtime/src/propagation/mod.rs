//! Propagation: what a request tells the server about the call that it belongs to.
//!
//! A service that calls another one should not be waited for after its own caller has gone. So each attempt can carry the time
//! that its caller still waits, and its number. [`Propagation`] names the headers.
//!
//! | | HTTP, [`Propagation::new`] | gRPC, [`Propagation::grpc`] |
//! |---|---|---|
//! | the time left | `x-envoy-expected-rq-timeout-ms`: whole milliseconds | `grpc-timeout`: at most 8 digits and a unit |
//! | the number of the attempt | `x-envoy-attempt-count`: 1, 2, 3, … | `grpc-previous-rpc-attempts`: absent, 1, 2, … |
//!
//! The names and formats are those of [Envoy](https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#http-headers-set-on-upstream-calls)
//! and of gRPC ([protocol](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md),
//! [A6](https://github.com/grpc/proposal/blob/master/A6-client-retries.md#exposed-retry-metadata)). Both send durations. Points in
//! time would need synchronized clocks.

// May import `util`, `classify`, `context` and `policy`.

mod names;
mod protocol;
mod request;
mod time;

pub use self::protocol::Propagation;
#[allow(unused_imports, reason = "not all sets of features receive requests")]
pub(crate) use self::protocol::Received;
pub use self::request::RequestHeaders;
