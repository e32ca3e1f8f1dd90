//! Uses of reqwest that its build for wasm lacks: errors made of other errors, and the draining of bodies.

use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::error::Error;
use std::io;

use crate::classify::breaker_open::BreakerOpen;
use crate::classify::timed_out::TimedOut;

mod body;

macro_rules! client {
    ($reqwest:ident, $error_of:ident) => {
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
