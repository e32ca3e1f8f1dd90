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
        // `None` once it is dropped.
        #[pin]
        body: Option<B>,
    }

    impl<B> PinnedDrop for CallerBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // A breaker's probe looks at the deadline when it is dropped.
            this.scope.within(|| this.body.set(None));
        }
    }
}

impl<B> CallerBody<B> {
    pub(super) fn new(scope: RequestScope, body: B) -> Self {
        Self { scope, body: Some(body) }
    }
}

impl<B: Body> Body for CallerBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let Some(body) = this.body.as_pin_mut() else { return Poll::Ready(None) };
        let mut polled = this.scope.within(|| body.poll_frame(cx));
        if let Poll::Ready(Some(Ok(frame))) = &mut polled {
            if let Some(trailers) = frame.trailers_mut() {
                this.scope.mark_trailers(trailers);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl<B> fmt::Debug for CallerBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerBody").field("deadline", &self.scope.deadline).finish_non_exhaustive()
    }
}
