//! Bodies that are made anew for each attempt, and an error of reqwest's that is made from another one.

use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::error::Error;
use std::io;

use reqwest::{Body, Response};

use crate::TimedOut;

type Boxed = Box<dyn Error + Send + Sync>;

/// What makes a body: a [`Body`], or a `Result` of one, whose error is then what the attempt gives.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no body of a request",
    label = "neither a `reqwest::Body` nor a `Result` of one",
    note = "`Body::from` makes one of text and bytes, `Body::wrap_stream` of a stream"
)]
pub trait IntoBody {
    #[doc(hidden)]
    fn into_body(self) -> Result<Body, Box<dyn Error + Send + Sync>>;
}

#[diagnostic::do_not_recommend]
impl IntoBody for Body {
    fn into_body(self) -> Result<Body, Boxed> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<Boxed>> IntoBody for Result<Body, E> {
    fn into_body(self) -> Result<Body, Boxed> {
        self.map_err(Into::into)
    }
}

/// A timeout as reqwest would report it itself: `is_timeout()` holds, and the [`TimedOut`] is at the end of the
/// `source()` chain.
impl From<TimedOut> for reqwest::Error {
    fn from(timed_out: TimedOut) -> Self {
        error_of(io::Error::from(timed_out).into())
    }
}

/// An error of reqwest's with this source. reqwest has no constructor for its errors; a body that fails makes one.
pub(super) fn error_of(source: Boxed) -> reqwest::Error {
    let mut read = pin!(Response::from(http::Response::new(Body::wrap(Failing(Some(source))))).bytes());
    match read.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Err(error)) => error,
        _ => unreachable!("a body that fails at once gives an error at once"),
    }
}

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
