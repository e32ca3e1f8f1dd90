//! Draining of responses. The body of a response that is retried is read to its end during the pause, so that the next
//! attempt can reuse the connection.

use core::future::poll_fn;
use core::pin::pin;

use bytes::Buf;
use http_body::Body;

use crate::classify::drain::{DrainBody, DrainLimits};
use crate::classify::result_like::ResultLike;

/// A response whose body may not have been read yet.
pub trait Undrained {
    /// Reads the body to its end, within the policy's limits.
    fn drain(self, limits: DrainLimits) -> DrainBody;
}

impl<B: Body + Send + 'static> Undrained for http::Response<B> {
    fn drain(self, limits: DrainLimits) -> DrainBody {
        match limits.bytes {
            0 => DrainBody::none(),
            _ if self.body().is_end_stream() => DrainBody::none(),
            bytes => DrainBody::read(limits, read(self.into_body(), bytes)),
        }
    }
}

async fn read(body: impl Body, mut left: usize) {
    let mut body = pin!(body);
    while let Some(Ok(frame)) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        if !count(&mut left, frame.data_ref().map_or(0, Buf::remaining)) || body.is_end_stream() {
            return;
        }
    }
}

/// Counts a frame toward the drain limit. Returns false if the limit has been exceeded.
///
/// An empty frame counts as one byte. Otherwise a server that sends empty frames without end would keep the reader busy, and
/// the pause would never poll its timer.
pub(super) fn count(left: &mut usize, size: usize) -> bool {
    let rest = left.checked_sub(size.max(1));
    *left = rest.unwrap_or_default();
    rest.is_some()
}

/// Discards an outcome by draining the response in it.
pub(crate) fn drain<O: ResultLike<Value: Undrained>>(outcome: O, limits: DrainLimits) -> DrainBody {
    outcome.into_value().map_or(DrainBody::none(), |value| value.drain(limits))
}
