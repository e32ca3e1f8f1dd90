//! The headers with which a server asks for no further attempt.

use http::HeaderMap;

use crate::classify::class::Class;
use crate::classify::no_retry::{NoRetry, ServerAdvice};

/// The default name of the header of a response whose failure has been retried already, with the value `1`.
pub(crate) const EXHAUSTED: &str = "x-retries-exhausted";

/// The advice of a response. A success has none.
pub(crate) fn of_response(status: u16, headers: &HeaderMap) -> ServerAdvice {
    if status < Class::FIRST_FAILURE { ServerAdvice::NONE } else { of_failure(headers) }
}

/// The advice in the headers, or the gRPC metadata, of a failure.
///
/// Envoy refuses a request if it has dropped it, or if its own limit is reached. It does not retry these responses either, unless it
/// is configured to.
// One pass over the headers, because each look-up of a name would cost more than that.
#[cold]
pub(crate) fn of_failure(headers: &HeaderMap) -> ServerAdvice {
    let mut advice = ServerAdvice::NONE;
    for (name, value) in headers {
        match name.as_str() {
            EXHAUSTED if value == "1" => return ServerAdvice::new(Some(NoRetry::ExhaustedBelow)),
            "x-envoy-overloaded" | "x-envoy-ratelimited" => advice = ServerAdvice::refused_unless_delayed(),
            _ => {}
        }
    }
    advice
}

/// True if this header says that the failure has been retried already.
pub(crate) fn is_exhausted(headers: &HeaderMap, name: &str) -> bool {
    headers.get_all(name).iter().any(|value| value == "1")
}
