//! Draining of responses. The body of a response that is retried is read to its end during the pause, so that the next
//! attempt can reuse the connection.

use core::future::poll_fn;
use core::pin::pin;

use bytes::Buf;
use http_body::Body;

use crate::classify::drain::{Discard, DrainBody, DrainLimits};
use crate::classify::result_like::ResultLike;

/// A response whose body may not have been read yet.
pub trait Unread {
    /// Reads the body to its end, within the policy's limits.
    fn read_to_end(self, limits: DrainLimits) -> DrainBody;
}

impl<B: Body + Send + 'static> Unread for http::Response<B> {
    fn read_to_end(self, limits: DrainLimits) -> DrainBody {
        match limits.bytes {
            0 => DrainBody::none(),
            bytes => DrainBody::read(limits, read(self.into_body(), bytes)),
        }
    }
}

#[cfg(feature = "reqwest")]
impl Unread for reqwest::Response {
    fn read_to_end(self, limits: DrainLimits) -> DrainBody {
        http::Response::<reqwest::Body>::from(self).read_to_end(limits)
    }
}

#[cfg(feature = "reqwest-012")]
impl Unread for reqwest_012::Response {
    fn read_to_end(self, limits: DrainLimits) -> DrainBody {
        http::Response::<reqwest_012::Body>::from(self).read_to_end(limits)
    }
}

async fn read(body: impl Body, mut left: usize) {
    let mut body = pin!(body);
    while let Some(Ok(frame)) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        // An empty frame counts as one byte. Otherwise a server that sends empty frames without end would keep this loop
        // busy, and the pause would never poll its timer.
        let size = frame.data_ref().map_or(0, |data| data.remaining().max(1));
        let Some(rest) = left.checked_sub(size) else { return };
        left = rest;
    }
}

/// Discards an outcome by draining the response in it.
#[derive(Clone, Copy, Debug)]
pub struct DrainOutcome;

impl<O: ResultLike<Value: Unread>> Discard<O> for DrainOutcome {
    type Cleanup = DrainBody;

    fn discard(self, outcome: O, limits: DrainLimits) -> DrainBody {
        outcome.into_value().map_or(DrainBody::none(), |value| value.read_to_end(limits))
    }
}
