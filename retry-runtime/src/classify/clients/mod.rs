//! Classification of the errors and responses of client libraries, one file for each library.
//!
//! Features only add: an error that is classified without a feature has the same class with it.

use core::any::Any;
use std::error::Error;

#[allow(unused_imports, reason = "unused without the feature of any client")]
use crate::classify::chain::{failure_of, links};
use crate::classify::drain::{DrainBody, DrainLimits};
use crate::classify::failure::Failure;

#[cfg(feature = "http")]
pub(crate) mod advice;
#[cfg(feature = "http")]
pub(crate) mod body;
#[cfg(feature = "h2")]
mod h2;
#[cfg(feature = "http")]
mod http_response;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
pub(crate) mod reqwest;
#[cfg(feature = "reqwest-middleware")]
mod reqwest_middleware;
#[cfg(all(any(feature = "reqwest", feature = "reqwest-012"), not(all(target_arch = "wasm32", target_os = "unknown"))))]
pub(crate) mod reqwest_parts;
#[cfg(all(any(feature = "reqwest", feature = "reqwest-012"), all(target_arch = "wasm32", target_os = "unknown")))]
#[path = "reqwest_parts_wasm.rs"]
mod reqwest_parts;
#[cfg(feature = "http")]
pub(crate) mod retry_after;
#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
pub(crate) mod status_error;
#[cfg(feature = "tonic")]
mod tonic;
#[cfg(feature = "tower")]
mod tower;

#[cfg(any(feature = "reqwest", feature = "reqwest-012", feature = "hyper"))]
use self::body::Undrained;
#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
use self::status_error::StatusError;

/// Returns true if an HTTP/2 server has refused the stream, and so has not processed the request.
#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
fn is_refused_stream(error: &(dyn Error + 'static)) -> bool {
    #[cfg(feature = "h2")]
    return links(error).filter_map(failure_of::<::h2::Error>).any(|f| f.is_unprocessed());
    #[cfg(not(feature = "h2"))]
    {
        let _ = error;
        false
    }
}

/// Returns true if a breaker rejected the request.
#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
fn is_by_breaker(error: &(dyn Error + 'static)) -> bool {
    links(error).any(|link| link.is::<crate::classify::breaker_open::BreakerOpen>())
}

/// The failure that one error of a chain describes, if its type belongs to a client library.
pub(crate) fn recognize(error: &(dyn Error + 'static)) -> Option<Failure> {
    let found: &[fn(&(dyn Error + 'static)) -> Option<Failure>] = &[
        #[cfg(feature = "reqwest")]
        failure_of::<::reqwest::Error>,
        #[cfg(feature = "reqwest-012")]
        failure_of::<reqwest_012::Error>,
        #[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
        failure_of::<StatusError>,
        #[cfg(feature = "reqwest-middleware")]
        failure_of::<::reqwest_middleware::Error>,
        #[cfg(feature = "h2")]
        failure_of::<::h2::Error>,
        #[cfg(feature = "hyper")]
        failure_of::<::hyper::Error>,
        #[cfg(feature = "hyper")]
        failure_of::<hyper_util::client::legacy::Error>,
        #[cfg(feature = "tonic")]
        failure_of::<::tonic::Status>,
        #[cfg(feature = "tonic")]
        failure_of::<::tonic::ConnectError>,
        #[cfg(feature = "tonic")]
        failure_of::<::tonic::TimeoutExpired>,
        #[cfg(feature = "tower")]
        failure_of::<::tower::timeout::error::Elapsed>,
    ];
    found.iter().find_map(|find| find(error))
}

/// The failure that a value describes, if it is the response of a client library.
pub(crate) fn failure_of_value(value: &dyn Any) -> Option<Failure> {
    let found: &[fn(&dyn Any) -> Option<Failure>] = &[
        #[cfg(feature = "reqwest")]
        |value| value.downcast_ref::<::reqwest::Response>().map(Failure::of),
        #[cfg(feature = "reqwest-012")]
        |value| value.downcast_ref::<reqwest_012::Response>().map(Failure::of),
        #[cfg(feature = "hyper")]
        |value| value.downcast_ref::<HyperResponse>().map(Failure::of),
    ];
    found.iter().find_map(|find| find(value))
}

/// Drains a value, if it is the response of a client library. `value` is an `Option` of the response, which is taken out.
pub(crate) fn discard(value: &mut dyn Any, limits: DrainLimits) -> DrainBody {
    let found: &[DrainAs] = &[
        #[cfg(feature = "reqwest")]
        drain_as::<::reqwest::Response>,
        #[cfg(feature = "reqwest-012")]
        drain_as::<reqwest_012::Response>,
        #[cfg(feature = "hyper")]
        drain_as::<HyperResponse>,
    ];
    found.iter().find_map(|drain_as| drain_as(value, limits)).unwrap_or(DrainBody::none())
}

type DrainAs = fn(&mut dyn Any, DrainLimits) -> Option<DrainBody>;

#[cfg(any(feature = "reqwest", feature = "reqwest-012", feature = "hyper"))]
fn drain_as<R: Undrained + 'static>(value: &mut dyn Any, limits: DrainLimits) -> Option<DrainBody> {
    Some(value.downcast_mut::<Option<R>>()?.take()?.drain(limits))
}

#[cfg(feature = "hyper")]
type HyperResponse = ::http::Response<::hyper::body::Incoming>;
