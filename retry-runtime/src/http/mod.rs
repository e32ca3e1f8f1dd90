#![doc = include_str!("guide/index.md")]

use core::any::Any;
use std::error::Error;

use crate::pause::Remains;
use crate::{Failure, Policy};

#[cfg(feature = "reqwest")]
mod body;
#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
mod client;
#[cfg(feature = "http")]
mod drain;
#[cfg(feature = "tonic")]
mod grpc;
#[cfg(feature = "h2")]
mod http2;
#[cfg(feature = "hyper")]
mod hyper_errors;
#[cfg(feature = "reqwest-middleware")]
mod middleware;
#[cfg(feature = "reqwest")]
pub(crate) mod redirects;
#[cfg(all(feature = "reqwest", feature = "testing"))]
mod rehearsed;
#[cfg(feature = "reqwest")]
mod request_retry;
#[cfg(feature = "http")]
mod response;
#[cfg(feature = "http")]
mod retry_after;
#[cfg(feature = "reqwest")]
mod send;
#[cfg(feature = "reqwest")]
mod source;
#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
mod status_error;

#[cfg(feature = "reqwest")]
pub use self::body::IntoBody;
#[cfg(feature = "wire")]
pub mod wire;

#[cfg(feature = "http")]
pub(crate) use self::drain::{ReadToEnd, Unread};
#[cfg(feature = "reqwest")]
pub use self::redirects::TrackRedirects;
#[cfg(feature = "reqwest")]
pub use self::request_retry::{HowToRetry, Outgoing, RequestRetry};
#[cfg(feature = "reqwest")]
pub use self::send::{SendFirstOf, SendWithRetry};
#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
pub use self::status_error::{CheckStatus, StatusError};

/// Whether an HTTP/2 server has refused the request before it looked at it.
#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
fn is_refused_stream(error: &(dyn Error + 'static)) -> bool {
    #[cfg(feature = "h2")]
    return crate::chain::links(error).filter_map(crate::chain::failure_of::<h2::Error>).any(|f| f.is_unprocessed());
    #[cfg(not(feature = "h2"))]
    {
        let _ = error;
        false
    }
}

/// Whether a breaker did not let the request through.
#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
fn is_kept_back(error: &(dyn Error + 'static)) -> bool {
    crate::chain::links(error).any(|link| link.is::<crate::BreakerOpen>())
}

/// What one error of a chain knows of itself, if it is one of HTTP.
pub(crate) fn known(error: &(dyn Error + 'static)) -> Option<Failure> {
    let found: &[fn(&(dyn Error + 'static)) -> Option<Failure>] = &[
        #[cfg(feature = "reqwest")]
        crate::chain::failure_of::<reqwest::Error>,
        #[cfg(feature = "reqwest-012")]
        crate::chain::failure_of::<reqwest_012::Error>,
        #[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
        crate::chain::failure_of::<StatusError>,
        #[cfg(feature = "reqwest-middleware")]
        crate::chain::failure_of::<reqwest_middleware::Error>,
        #[cfg(feature = "h2")]
        crate::chain::failure_of::<h2::Error>,
        #[cfg(feature = "hyper")]
        crate::chain::failure_of::<hyper::Error>,
        #[cfg(feature = "hyper")]
        crate::chain::failure_of::<hyper_util::client::legacy::Error>,
        #[cfg(feature = "tonic")]
        crate::chain::failure_of::<tonic::Status>,
        #[cfg(feature = "tonic")]
        crate::chain::failure_of::<tonic::ConnectError>,
        #[cfg(feature = "tonic")]
        crate::chain::failure_of::<tonic::TimeoutExpired>,
        #[cfg(feature = "tower")]
        crate::chain::failure_of::<tower::timeout::error::Elapsed>,
    ];
    found.iter().find_map(|find| find(error))
}

/// What an answer knows of itself, if it is one of HTTP.
pub(crate) fn known_answer(answer: &dyn Any) -> Option<Failure> {
    let found: &[fn(&dyn Any) -> Option<Failure>] = &[
        #[cfg(feature = "reqwest")]
        |answer| answer.downcast_ref::<reqwest::Response>().map(Failure::of),
        #[cfg(feature = "reqwest-012")]
        |answer| answer.downcast_ref::<reqwest_012::Response>().map(Failure::of),
        #[cfg(feature = "hyper")]
        |answer| answer.downcast_ref::<HyperResponse>().map(Failure::of),
    ];
    found.iter().find_map(|find| find(answer))
}

/// Reads an answer on, if it is one of HTTP; `answer` is an `Option` of it.
pub(crate) fn put_away(answer: &mut dyn Any, policy: &Policy) -> Remains {
    let found: &[ReadOn] = &[
        #[cfg(feature = "reqwest")]
        read_on::<reqwest::Response>,
        #[cfg(feature = "reqwest-012")]
        read_on::<reqwest_012::Response>,
        #[cfg(feature = "hyper")]
        read_on::<HyperResponse>,
    ];
    found.iter().find_map(|read_on| read_on(answer, policy)).unwrap_or(Remains::none())
}

type ReadOn = fn(&mut dyn Any, &Policy) -> Option<Remains>;

#[cfg(any(feature = "reqwest", feature = "reqwest-012", feature = "hyper"))]
fn read_on<R: Unread + 'static>(answer: &mut dyn Any, policy: &Policy) -> Option<Remains> {
    Some(answer.downcast_mut::<Option<R>>()?.take()?.read_to_end(policy))
}

#[cfg(feature = "hyper")]
type HyperResponse = ::http::Response<hyper::body::Incoming>;
