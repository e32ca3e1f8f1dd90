//! What is known of HTTP.

use core::any::Any;
use std::error::Error;

use crate::Failure;

#[cfg(feature = "reqwest")]
mod client;
#[cfg(feature = "reqwest")]
mod drain;
#[cfg(feature = "reqwest")]
mod retry_after;
#[cfg(feature = "reqwest")]
mod status_error;

#[cfg(feature = "reqwest")]
pub(crate) use self::drain::{ReadToEnd, Unread};
#[cfg(feature = "reqwest")]
pub use self::status_error::{CheckStatus, StatusError};

/// What one error of a chain knows of itself, if it is one of HTTP.
pub(crate) fn known(error: &(dyn Error + 'static)) -> Option<Failure> {
    #[cfg(feature = "reqwest")]
    return client::known(error);
    #[cfg(not(feature = "reqwest"))]
    {
        let _ = error;
        None
    }
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
