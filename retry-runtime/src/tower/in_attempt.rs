//! The service below the retry layer, which runs inside the attempts.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::Weak;

use ::tower::retry::Retry;
use ::tower::{Layer, Service};
use pin_project_lite::pin_project;

use super::call::{Shared, starting};
use super::policy::TowerPolicy;
use crate::engine::time_limit::Unlimited;
#[cfg(feature = "reqwest")]
use crate::http::redirects::{Seen, Watching};
use crate::util::sync::lock;

/// Retries the service below it, and runs that service inside the attempts. The same as
/// [`RetryLayer`](::tower::retry::RetryLayer) above [`InAttempt`].
impl<S, K: Clone, C: Clone> Layer<S> for TowerPolicy<K, C> {
    type Service = Retry<Self, InAttempt<S>>;

    fn layer(&self, service: S) -> Self::Service {
        Retry::new(self.clone(), self.in_attempts(service))
    }
}

impl<K, C> TowerPolicy<K, C> {
    pub(super) fn in_attempts<S>(&self, service: S) -> InAttempt<S> {
        InAttempt { service }
    }
}

/// A service that runs each call inside its attempt: in the attempt's span, and so that nested calls see its deadline. Made by
/// [`TowerPolicy`] as a layer, directly below the retry.
#[derive(Clone, Debug)]
pub struct InAttempt<S> {
    service: S,
}

impl<Request, S: Service<Request>> Service<Request> for InAttempt<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = ServiceFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let attempt = starting();
        let future = within(attempt.as_ref(), || self.service.call(request));
        ServiceFuture { attempt, future }
    }
}

pin_project! {
    /// The future of one attempt of a tower service, which runs in the span of the attempt.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the future of the service inside.
    #[must_use = "an attempt does nothing unless it is awaited"]
    pub struct ServiceFuture<F> {
        attempt: Option<Weak<Shared>>,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for ServiceFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let future = this.future;
        within(this.attempt.as_ref(), || future.poll(cx))
    }
}

/// Runs a part of an attempt in its span, and in the context that nested calls see.
fn within<O>(attempt: Option<&Weak<Shared>>, work: impl FnOnce() -> O) -> O {
    let Some(shared) = attempt.and_then(Weak::upgrade) else { return work() };
    // The lock is held while the service runs. Nothing else takes it meanwhile: tower uses the policy and the pause only
    // before and after the attempt.
    let mut executor = lock(&shared);
    #[cfg(feature = "reqwest")]
    let mut seen = core::mem::replace(&mut executor.core.active.call.seen, Seen::NONE);
    let done = executor.core.in_attempt::<Unlimited, _>(|| {
        #[cfg(feature = "reqwest")]
        let _watching = Watching::new(&mut seen);
        work()
    });
    #[cfg(feature = "reqwest")]
    {
        executor.core.active.call.seen = seen;
    }
    done
}

impl<F> fmt::Debug for ServiceFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceFuture")
    }
}
