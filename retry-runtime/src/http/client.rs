//! What is known of reqwest's errors and responses.

use core::time::Duration;

use reqwest::Response;

use super::retry_after::server_delay;
use crate::{Class, Retryable, chain};

/// A status is found in errors of `error_for_status`. Connect, timeout and body failures are transient, as is a request
/// whose connection was lost before an answer came; a URL or a
/// request that cannot be built is permanent, as is a body that does not decode, unless an I/O error or a timeout lies
/// under it: reqwest reports a connection that was lost while JSON was read as a decode error.
impl Retryable for reqwest::Error {
    fn class(&self) -> Class {
        if let Some(status) = self.status() {
            return Class::of_status(status.as_u16());
        }
        if self.is_timeout() || self.is_connect() {
            return Class::Transient;
        }
        match chain::search_sources(self).class() {
            Class::Unknown if self.is_builder() || self.is_decode() => Class::Permanent,
            Class::Unknown if self.is_body() || self.is_request() => Class::Transient,
            found => found,
        }
    }

    fn status(&self) -> Option<u16> {
        Self::status(self).map(|status| status.as_u16())
    }

    /// Where there was no connection: it was refused, the name was not found, the TLS handshake failed. With the `h2`
    /// feature also where an HTTP/2 server refused the stream.
    fn is_unprocessed(&self) -> bool {
        self.is_connect() || super::is_refused_stream(self)
    }
}

/// The class of its status; the server's delay is that of the header `Retry-After`, in seconds or as a date.
impl Retryable for Response {
    fn class(&self) -> Class {
        Class::of_status(self.status().as_u16())
    }

    fn status(&self) -> Option<u16> {
        Some(self.status().as_u16())
    }

    fn server_delay(&self) -> Option<Duration> {
        server_delay(self.headers())
    }

    #[cfg(feature = "wire")]
    fn connection(&self) -> Option<crate::Connection> {
        super::wire::connection_of_response(self)
    }
}
