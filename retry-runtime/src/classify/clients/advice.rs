//! The headers with which a server asks for no further attempt.

use http::HeaderMap;

use crate::classify::class::Class;
use crate::classify::no_retry::{NoRetry, ServerAdvice};

/// The default name of the header of a response whose failure has been retried already, with the value `1`.
pub(crate) const EXHAUSTED: &str = "x-retries-exhausted";

/// Set by Envoy if it has dropped the request, or reached a limit of its own. Envoy does not retry these responses either,
/// unless it is configured to.
const REFUSALS: [&str; 2] = ["x-envoy-overloaded", "x-envoy-ratelimited"];

/// The advice of a response. A success has none.
pub(crate) fn of_response(status: u16, headers: &HeaderMap) -> ServerAdvice {
    if status < Class::FIRST_FAILURE { ServerAdvice::NONE } else { of_failure(headers) }
}

/// The advice in the headers, or the gRPC metadata, of a failure.
#[cold]
pub(crate) fn of_failure(headers: &HeaderMap) -> ServerAdvice {
    if is_exhausted(headers, EXHAUSTED) {
        return ServerAdvice::new(Some(NoRetry::ExhaustedBelow));
    }
    match REFUSALS.iter().any(|name| headers.contains_key(*name)) {
        true => ServerAdvice::refused_unless_delayed(),
        false => ServerAdvice::NONE,
    }
}

/// True if this header says that the failure has been retried already.
pub(crate) fn is_exhausted(headers: &HeaderMap, name: &str) -> bool {
    headers.get_all(name).iter().any(|value| value == "1")
}
