//! Classification of `http::Response`, the response type of most clients.

use core::time::Duration;

use http::Response;

use super::retry_after::server_delay;
use crate::classify::class::Class;
use crate::classify::retryable::Retryable;

/// The class is that of the status. The server delay is that of the header `Retry-After`, in seconds or as a date.
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
}
