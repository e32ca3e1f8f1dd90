//! The body of a response, which may call other services while it is sent.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::scope::RequestScope;

pin_project! {
    /// The body of a response, whose calls see the deadline of its request. Made by [`CallerService`](super::CallerService).
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the body inside, and nothing else.
    pub struct CallerBody<B> {
        scope: RequestScope,
        #[pin]
        body: B,
    }
}

impl<B> CallerBody<B> {
    pub(super) fn new(scope: RequestScope, body: B) -> Self {
        Self { scope, body }
    }
}

impl<B: Body> Body for CallerBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let mut polled = this.scope.within(|| this.body.poll_frame(cx));
        if let Poll::Ready(Some(Ok(frame))) = &mut polled {
            if let Some(trailers) = frame.trailers_mut() {
                this.scope.mark_trailers(trailers);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> fmt::Debug for CallerBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerBody").field("deadline", &self.scope.deadline).finish_non_exhaustive()
    }
}
