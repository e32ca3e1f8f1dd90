//! `StatusError`, an error for a status of 400 or above that keeps the server's delay, and `check_status`, which creates
//! it.

use core::fmt;
use core::time::Duration;
use std::error::Error;

use http::StatusCode;
#[cfg(feature = "reqwest")]
use reqwest::Url;
#[cfg(not(feature = "reqwest"))]
use reqwest_012::Url;

use super::advice;
use super::retry_after::server_delay;
use crate::classify::class::Class;
use crate::classify::failure::Failure;
use crate::classify::no_retry::{NoRetry, ServerAdvice};
use crate::classify::retryable::Retryable;

/// `response.check_status()`, an alternative to `error_for_status` whose error keeps the delay that the server asked for, and
/// its request [not to retry](crate::outcome::NoRetry).
pub trait CheckStatus: Sized {
    /// Returns the response, unless its status is 400 or above.
    ///
    /// ```no_run
    /// # use std::error::Error;
    /// use retry_runtime::http::CheckStatus;
    /// use retry_runtime::retry;
    ///
    /// #[retry]
    /// async fn fetch(url: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
    ///     Ok(reqwest::get(url).await?.check_status()?.text().await?)
    /// }
    /// ```
    ///
    /// If it returns an error, the response is dropped without reading its body, so its connection may be closed. If
    /// connections are expensive, return the response itself from your function instead: its body is drained before a
    /// retry.
    ///
    /// # Errors
    ///
    /// Returns a [`StatusError`] if the status is 400 or above.
    fn check_status(self) -> Result<Self, StatusError>;
}

macro_rules! check_status {
    ($response:ty) => {
        impl CheckStatus for $response {
            fn check_status(self) -> Result<Self, StatusError> {
                let status = self.status();
                if !status.is_client_error() && !status.is_server_error() {
                    return Ok(self);
                }
                let (server_delay, advice) = (server_delay(self.headers()), advice::of_failure(self.headers()));
                Err(StatusError { status, server_delay, advice, url: self.url().clone() })
            }
        }
    };
}
#[cfg(feature = "reqwest")]
check_status!(reqwest::Response);
#[cfg(feature = "reqwest-012")]
check_status!(reqwest_012::Response);

/// The error of a response with a status of 400 or above. Created by [`CheckStatus::check_status`].
#[derive(Clone, Debug)]
pub struct StatusError {
    status: StatusCode,
    server_delay: Option<Duration>,
    advice: ServerAdvice,
    url: Url,
}

impl StatusError {
    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The delay that the server asked for with the header `Retry-After`.
    #[must_use]
    pub fn server_delay(&self) -> Option<Duration> {
        self.server_delay
    }

    /// The URL of the response, after redirects.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl fmt::Display for StatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {} for url ({})", self.status, self.url)
    }
}

impl Error for StatusError {}

impl Retryable for StatusError {
    fn class(&self) -> Class {
        Class::of_status(self.status.as_u16())
    }

    fn status(&self) -> Option<u16> {
        Some(self.status.as_u16())
    }

    fn server_delay(&self) -> Option<Duration> {
        self.server_delay
    }

    fn no_retry(&self) -> Option<NoRetry> {
        self.failure().no_retry()
    }

    fn failure(&self) -> Failure {
        Failure::advised(self, self.advice).perhaps_redirected()
    }
}
