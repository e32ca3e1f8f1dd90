//! Classification of `http::Response`, the response type of most clients.

use core::time::Duration;

use http::Response;

use super::advice;
use super::retry_after::server_delay;
use crate::classify::class::Class;
use crate::classify::failure::Failure;
use crate::classify::no_retry::NoRetry;
use crate::classify::retryable::Retryable;

/// The class is that of the status. The server delay is that of the header `Retry-After`, in seconds or as a date. The headers of
/// [`NoRetry`] apply to failures.
impl<B> Retryable for Response<B> {
    fn class(&self) -> Class {
        Class::of_status(self.status().as_u16())
    }

    fn status(&self) -> Option<u16> {
        Some(self.status().as_u16())
    }

    fn server_delay(&self) -> Option<Duration> {
        server_delay(self.headers())
    }

    fn no_retry(&self) -> Option<NoRetry> {
        self.failure().no_retry()
    }

    fn failure(&self) -> Failure {
        Failure::advised(self, advice::of_response(self.status().as_u16(), self.headers()))
    }
}
