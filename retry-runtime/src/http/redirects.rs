//! Redirects, which reqwest follows and does not report.
//!
//! A response and an error of reqwest look the same with and without a redirect before them: a server may redirect to the same
//! URL, and middleware may change the URL of a request that is not redirected. So a client says it itself: with
//! [`TrackRedirects::track_redirects`] it notes each request that it puts on the wire, for the attempt that is polled on the same
//! thread. A single one with the method of the attempt's own and the status of its outcome is proof that there was no redirect.
//! Anything else proves nothing.

use core::cell::Cell;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll};

use http::Method;
use pin_project_lite::pin_project;
use reqwest::ClientBuilder;

/// `Client::builder().track_redirects()`.
pub trait TrackRedirects {
    /// Lets retries see whether a request was redirected, so that a POST is retried if the server cannot have processed it: its
    /// connection was refused, or the answer is a 429.
    ///
    /// reqwest does not report redirects. Without this, a POST that fails may have been processed by a server that redirected
    /// the client elsewhere, and is not retried. [`Condition::assume_no_redirects`](crate::Condition::assume_no_redirects) is
    /// the other way, for clients that are already built.
    ///
    /// It sets [`ClientBuilder::retry`], and so replaces a policy that was set before, and switches off reqwest's own resends:
    /// each attempt is one request, and one more for each redirect. A later `ClientBuilder::retry` replaces this one. The
    /// client follows redirects as before.
    ///
    /// A request whose body is a stream is not tracked, nor one that a middleware sends from another task or more than once.
    ///
    /// ```
    /// use retry_runtime::Policy;
    /// use retry_runtime::http::{SendWithRetry, TrackRedirects};
    ///
    /// # async fn order(url: &str) -> reqwest::Result<reqwest::Response> {
    /// let client = reqwest::Client::builder().track_redirects().build()?;
    /// client.post(url).body("one, please").send_with_retry(&Policy::new()).await
    /// # }
    /// ```
    #[must_use]
    fn track_redirects(self) -> Self;
}

impl TrackRedirects for ClientBuilder {
    fn track_redirects(self) -> Self {
        IS_ON.store(true, Ordering::Relaxed);
        // It is asked below the layer that follows redirects, about each request.
        self.retry(reqwest::retry::never().classify_fn(|exchange| {
            note(Exchange {
                method: exchange.method().clone(),
                status: exchange.status().map(|status| status.as_u16()),
            });
            exchange.success()
        }))
    }
}

/// Set when the first client of the process is built that tracks redirects.
static IS_ON: AtomicBool = AtomicBool::new(false);

/// Returns whether any client of the process tracks redirects.
#[inline]
pub(crate) fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// A request and what came of it: a response with a status, or an error.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exchange {
    method: Method,
    status: Option<u16>,
}

/// The requests that tracking clients put on the wire.
#[derive(Debug)]
pub(crate) struct Seen {
    first: Option<Exchange>,
    count: u32,
}

impl Default for Seen {
    fn default() -> Self {
        Self::NONE
    }
}

impl Seen {
    pub(crate) const NONE: Self = Self { first: None, count: 0 };

    fn add(&mut self, more: &Self) {
        self.count = self.count.saturating_add(more.count);
        if self.first.is_none() {
            self.first.clone_from(&more.first);
        }
    }

    /// Returns whether it was a single request, with this method, from which this status came, or no status.
    pub(crate) fn is_only(&self, method: &str, status: Option<u16>) -> bool {
        let first = self.first.as_ref().filter(|_| self.count == 1);
        first.is_some_and(|first| first.method.as_str() == method && first.status == status)
    }
}

thread_local! {
    /// The requests since the attempt that is polled on this thread was entered.
    static CURRENT: Cell<Option<Seen>> = const { Cell::new(None) };
}

fn note(exchange: Exchange) {
    if let Some(mut seen) = CURRENT.take() {
        seen.add(&Seen { first: Some(exchange), count: 1 });
        CURRENT.set(Some(seen));
    }
}

/// Adds what is seen while it lives to `seen`, and to an attempt around this one.
#[derive(Debug)]
pub(crate) struct Watching<'a> {
    seen: &'a mut Seen,
    around: Option<Seen>,
}

impl<'a> Watching<'a> {
    pub(crate) fn new(seen: &'a mut Seen) -> Self {
        Self { seen, around: CURRENT.replace(Some(Seen::NONE)) }
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        let new = CURRENT.take().unwrap_or(Seen::NONE);
        self.seen.add(&new);
        CURRENT.set(self.around.take().map(|mut around| {
            around.add(&new);
            around
        }));
    }
}

pin_project! {
    /// A future with what was seen while it was polled.
    #[derive(Debug)]
    pub(crate) struct Watched<F> {
        seen: Seen,
        #[pin]
        future: F,
    }
}

impl<F> Watched<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { seen: Seen::NONE, future }
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = (F::Output, Seen);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<(F::Output, Seen)> {
        let this = self.project();
        let polled = {
            let _watching = Watching::new(this.seen);
            this.future.poll(cx)
        };
        polled.map(|outcome| (outcome, core::mem::replace(this.seen, Seen::NONE)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_sees_what_the_attempts_in_it_see_and_no_more() {
        let (mut outer, mut inner) = (Seen::NONE, Seen::NONE);
        let send = |method| note(Exchange { method, status: Some(429) });
        send(Method::PUT);
        {
            let _outer = Watching::new(&mut outer);
            send(Method::POST);
            {
                let _inner = Watching::new(&mut inner);
                send(Method::GET);
            }
        }
        send(Method::PUT);
        assert_eq!((outer.count, outer.first.as_ref().map(|first| first.method.as_str())), (2, Some("POST")));
        assert!(!outer.is_only("POST", Some(429)));
        assert!(inner.is_only("GET", Some(429)) && !inner.is_only("POST", Some(429)) && !inner.is_only("GET", None));
    }
}
