//! Classification of reqwest's errors and responses, identical for each supported version of reqwest.
//!
//! `reqwest_parts` has what needs more of reqwest than its build for wasm has.

use core::time::Duration;
use std::error::Error;

#[cfg(feature = "connection-events")]
use http::Extensions;
#[cfg(feature = "connection-events")]
use hyper_util::client::legacy::connect::HttpInfo;

// On wasm, the glob brings `is_connect`, which is a method of reqwest's elsewhere.
use super::advice;
#[allow(unused_imports, reason = "not all sets of features use it")]
pub(crate) use super::reqwest_parts::*;
use super::retry_after::server_delay;
use crate::classify::chain;
use crate::classify::class::Class;
#[cfg(feature = "connection-events")]
use crate::classify::connection::{Connection, is_reported};
use crate::classify::failure::Failure;
use crate::classify::no_retry::NoRetry;
use crate::classify::retryable::Retryable;

macro_rules! client {
    ($reqwest:ident) => {
        /// An error of `error_for_status` has a status, which determines its class. Other errors are classified as follows:
        ///
        /// - Transient: connect errors, timeouts and body errors, and a request whose connection was lost before the
        ///   response.
        /// - Permanent: a URL or request that cannot be built, too many redirects, and a body that cannot be decoded.
        ///
        /// If an error in the `source()` chain can be classified, its class takes precedence over all of these except
        /// connect errors and timeouts. For example, reqwest reports a connection that was lost while it read JSON as a
        /// decode error, with an I/O error or a timeout as its source.
        impl Retryable for $reqwest::Error {
            fn class(&self) -> Class {
                if let Some(status) = self.status() {
                    return Class::of_status(status.as_u16());
                }
                if self.is_timeout() || self.is_connect() {
                    return Class::Transient;
                }
                match chain::search_sources(self).class() {
                    Class::Unknown if self.is_builder() || self.is_decode() || self.is_redirect() => Class::Permanent,
                    Class::Unknown if self.is_body() || self.is_request() => Class::Transient,
                    found => found,
                }
            }

            fn status(&self) -> Option<u16> {
                Self::status(self).map(|status| status.as_u16())
            }

            fn server_delay(&self) -> Option<Duration> {
                chain::search_sources(self).server_delay()
            }

            fn breaker_delay(&self) -> Option<Duration> {
                chain::search_sources(self).breaker_delay()
            }

            /// True only if a breaker rejected the request.
            ///
            /// A refused connection proves nothing, nor does a failed name lookup or TLS handshake, or a stream that an
            /// HTTP/2 server refused: an earlier server may have processed the request and redirected the client.
            fn is_unprocessed(&self) -> bool {
                super::is_by_breaker(self) && !self.is_connect()
            }

            fn is_timeout(&self) -> bool {
                Self::is_timeout(self)
            }

            fn no_retry(&self) -> Option<NoRetry> {
                chain::search_sources(self).no_retry()
            }

            fn failure(&self) -> Failure {
                let failure = Failure::from_methods(self);
                // The error of a body may be about a connection that the body itself made.
                let is_of_body = |error: &(dyn Error + 'static)| error.downcast_ref().is_some_and(Self::is_body);
                let is_unsent = self.is_connect() || super::is_refused_stream(self);
                match is_unsent && !self.source().into_iter().flat_map(chain::links).any(is_of_body) {
                    true => failure.before_processing().perhaps_redirected(),
                    false if self.status().is_some() => failure.perhaps_redirected(),
                    false => failure,
                }
            }
        }

        /// The class is that of the status. The server delay is that of the header `Retry-After`, in seconds or as a date. The
        /// headers of [`NoRetry`] apply to failures.
        impl Retryable for $reqwest::Response {
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
                let advice = advice::of_response(self.status().as_u16(), self.headers());
                Failure::advised(self, advice).perhaps_redirected()
            }

            #[cfg(feature = "connection-events")]
            fn connection(&self) -> Option<Connection> {
                connection_of_response(self.extensions())
            }
        }
    };
}
#[cfg(feature = "reqwest")]
client!(reqwest);
#[cfg(feature = "reqwest-012")]
client!(reqwest_012);

/// The connection that a response came over, if any client reports its connections.
#[cfg(feature = "connection-events")]
fn connection_of_response(extensions: &Extensions) -> Option<Connection> {
    if is_reported() { connection_in(extensions) } else { None }
}

/// The connection that hyper-util has stored in the extensions.
#[cfg(feature = "connection-events")]
pub(crate) fn connection_in(extensions: &Extensions) -> Option<Connection> {
    let info: &HttpInfo = extensions.get()?;
    Some(Connection { local: info.local_addr(), remote: info.remote_addr() })
}
