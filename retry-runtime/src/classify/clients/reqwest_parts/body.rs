//! Draining of reqwest's responses, identical for each supported version of reqwest.
//!
//! A response is read in place: taking its body out would put it into one more box.

use core::pin::{Pin, pin};
use core::task::{Context, Poll, ready};

use http::Version;

use crate::classify::clients::body::{Undrained, count};
use crate::classify::drain::{DrainBody, DrainLimits};

trait Chunks {
    /// The size of the next chunk; `None` at the end of the body, or if it fails.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<usize>>;

    /// Returns whether nothing is left of the body. False if that is not known yet.
    fn has_ended(&self) -> bool;
}

macro_rules! client {
    ($reqwest:ident) => {
        impl Undrained for $reqwest::Response {
            fn drain(self, limits: DrainLimits) -> DrainBody {
                if limits.bytes == 0 || self.has_ended() {
                    return DrainBody::none();
                }
                DrainBody::read(limits, Read { response: self, left: limits.bytes })
            }
        }

        impl Chunks for $reqwest::Response {
            fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<usize>> {
                // The future keeps nothing between two polls that the response does not keep itself.
                pin!(self.chunk()).poll(cx).map(|chunk| Some(chunk.ok()??.len()))
            }

            fn has_ended(&self) -> bool {
                // A stream of HTTP/2 ends with a flag, not with its last byte.
                self.version() <= Version::HTTP_11 && self.content_length() == Some(0)
            }
        }
    };
}
#[cfg(feature = "reqwest")]
client!(reqwest);
#[cfg(feature = "reqwest-012")]
client!(reqwest_012);

/// Reads the body of a response to its end.
struct Read<R> {
    response: R,
    left: usize,
}

impl<R: Chunks + Unpin> Future for Read<R> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { response, left } = &mut *self;
        while let Some(size) = ready!(response.poll_chunk(cx)) {
            if !count(left, size) || response.has_ended() {
                break;
            }
        }
        Poll::Ready(())
    }
}
