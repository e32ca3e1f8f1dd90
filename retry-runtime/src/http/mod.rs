//! What is known of HTTP.

use core::any::Any;
use std::error::Error;

use crate::pause::Remains;
use crate::{Failure, Policy};

#[cfg(feature = "reqwest")]
mod body;
#[cfg(feature = "reqwest")]
mod client;
#[cfg(feature = "http")]
mod drain;
#[cfg(feature = "h2")]
mod http2;
#[cfg(feature = "reqwest-middleware")]
mod middleware;
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
#[cfg(feature = "reqwest")]
mod status_error;

#[cfg(feature = "reqwest")]
pub use self::body::IntoBody;
#[cfg(feature = "wire")]
pub mod wire;

#[cfg(feature = "http")]
pub(crate) use self::drain::{ReadToEnd, Unread};
#[cfg(feature = "reqwest")]
pub use self::request_retry::{HowToRetry, Outgoing, RequestRetry};
#[cfg(feature = "reqwest")]
pub use self::send::{SendFirstOf, SendWithRetry};
#[cfg(feature = "reqwest")]
pub use self::status_error::{CheckStatus, StatusError};

/// Whether an HTTP/2 server has refused the request before it looked at it.
#[cfg(feature = "reqwest")]
fn is_refused_stream(error: &(dyn Error + 'static)) -> bool {
    #[cfg(feature = "h2")]
    return crate::chain::links(error).filter_map(crate::chain::failure_of::<h2::Error>).any(|f| f.is_unprocessed());
    #[cfg(not(feature = "h2"))]
    {
        let _ = error;
        false
    }
}

/// What one error of a chain knows of itself, if it is one of HTTP.
pub(crate) fn known(error: &(dyn Error + 'static)) -> Option<Failure> {
    let found: [fn(&(dyn Error + 'static)) -> Option<Failure>; _] = [
        #[cfg(feature = "reqwest")]
        crate::chain::failure_of::<reqwest::Error>,
        #[cfg(feature = "reqwest")]
        crate::chain::failure_of::<StatusError>,
        #[cfg(feature = "reqwest-middleware")]
        crate::chain::failure_of::<reqwest_middleware::Error>,
        #[cfg(feature = "h2")]
        crate::chain::failure_of::<h2::Error>,
    ];
    found.iter().find_map(|find| find(error))
}

/// What an answer knows of itself, if it is one of HTTP.
pub(crate) fn known_answer(answer: &dyn Any) -> Option<Failure> {
    #[cfg(feature = "reqwest")]
    return answer.downcast_ref::<reqwest::Response>().map(Failure::of);
    #[cfg(not(feature = "reqwest"))]
    {
        let _ = answer;
        None
    }
}

/// Reads an answer on, if it is one of HTTP; `answer` is an `Option` of it.
pub(crate) fn put_away(answer: &mut dyn Any, policy: &Policy) -> Remains {
    #[cfg(feature = "reqwest")]
    return match answer.downcast_mut::<Option<reqwest::Response>>() {
        Some(answer) => answer.take().map_or(Remains::none(), |response| response.read_to_end(policy)),
        None => Remains::none(),
    };
    #[cfg(not(feature = "reqwest"))]
    {
        let _ = (answer, policy);
        Remains::none()
    }
}
