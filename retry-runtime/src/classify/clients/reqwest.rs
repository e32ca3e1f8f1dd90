//! Classification of reqwest's errors and responses, identical for each supported version of reqwest.

use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::error::Error;
use std::io;

#[cfg(feature = "connection-events")]
use http::Extensions;
#[cfg(feature = "connection-events")]
use hyper_util::client::legacy::connect::HttpInfo;

use super::retry_after::server_delay;
use crate::classify::breaker_open::BreakerOpen;
use crate::classify::chain;
use crate::classify::class::Class;
#[cfg(feature = "connection-events")]
use crate::classify::connection::{Connection, is_reported};
use crate::classify::failure::Failure;
use crate::classify::retryable::Retryable;
use crate::classify::timed_out::TimedOut;

macro_rules! client {
    ($reqwest:ident, $error_of:ident) => {
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

            /// True if a breaker rejected the request.
            ///
            /// False if there was no connection (it was refused, the name was not found, the TLS handshake failed) or,
            /// with the `h2` feature, an HTTP/2 server refused the stream. The last server cannot have processed the
            /// request then, but a server that redirected the client there may have.
            fn is_unprocessed(&self) -> bool {
                super::is_by_breaker(self) && !self.is_connect()
            }

            fn is_timeout(&self) -> bool {
                Self::is_timeout(self)
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

        /// The class is that of the status. The server delay is that of the header `Retry-After`, in seconds or as a date.
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

            fn failure(&self) -> Failure {
                Failure::from_methods(self).perhaps_redirected()
            }

            #[cfg(feature = "connection-events")]
            fn connection(&self) -> Option<Connection> {
                connection_of_response(self.extensions())
            }
        }

        /// Creates a timeout like reqwest's own: `is_timeout()` returns `true`. The [`TimedOut`] is at the end of the
        /// `source()` chain.
        impl From<TimedOut> for $reqwest::Error {
            fn from(timed_out: TimedOut) -> Self {
                $error_of(io::Error::from(timed_out).into())
            }
        }

        /// Creates an error with the [`BreakerOpen`] at the end of its `source()` chain.
        impl From<BreakerOpen> for $reqwest::Error {
            fn from(open: BreakerOpen) -> Self {
                $error_of(open.into())
            }
        }

        /// Creates an error of reqwest with this source. reqwest has no public constructor for its errors, but it
        /// converts the error of a body into one.
        pub(crate) fn $error_of(source: Boxed) -> $reqwest::Error {
            // Polls the body itself, without a response around it: a response would add an invented URL and turn the
            // error into a decode error.
            let body = pin!($reqwest::Body::wrap(Failing(Some(source))));
            match http_body::Body::poll_frame(body, &mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Some(Err(error))) => error,
                _ => unreachable!("polling a body that always fails returns an error"),
            }
        }
    };
}
#[cfg(feature = "reqwest")]
client!(reqwest, error_of);
#[cfg(feature = "reqwest-012")]
client!(reqwest_012, error_of_012);

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

type Boxed = Box<dyn Error + Send + Sync>;

/// A body that fails when it is read.
struct Failing(Option<Boxed>);

impl http_body::Body for Failing {
    type Data = &'static [u8];
    type Error = Boxed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<&'static [u8]>, Boxed>>> {
        Poll::Ready(self.0.take().map(Err))
    }
}
