//! Redirects, which reqwest follows without reporting them.
//!
//! A response or an error of reqwest looks the same with and without a redirect before it: a server may redirect to the
//! same URL, and middleware may change the URL of a request that is not redirected. So the client itself has to report
//! redirects. With [`TrackRedirects::track_redirects`], it notes each request that it sends, for the attempt that is being
//! polled on the same thread. A single request with the attempt's method and the outcome's status is proof that there was
//! no redirect. Anything else proves nothing.

use core::cell::Cell;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll};

use http::Method;
use pin_project_lite::pin_project;
use reqwest::ClientBuilder;

/// Redirect tracking for a [`ClientBuilder`]: `Client::builder().track_redirects()`.
pub trait TrackRedirects {
    /// Tracks whether requests are redirected, so that a POST is retried if the server cannot have processed it: its
    /// connection was refused, or the response is a 429.
    ///
    /// Without this setting, a POST that fails may have been processed by a server that redirected the client elsewhere, which
    /// reqwest does not report. For clients that are already built, use
    /// [`Condition::assume_no_redirects`](crate::Condition::assume_no_redirects).
    ///
    /// This method sets [`ClientBuilder::retry`]. That replaces a policy that was set before, and switches off reqwest's own
    /// resends: each attempt is one request, and one more for each redirect. A later `ClientBuilder::retry` replaces this one.
    /// The client follows redirects as before.
    ///
    /// A request whose body is a stream is not tracked, nor is one that a middleware sends from another task or more than once.
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
        // reqwest calls this for each request, below the layer that follows redirects.
        self.retry(reqwest::retry::never().classify_fn(|exchange| {
            note(Exchange {
                method: exchange.method().clone(),
                status: exchange.status().map(|status| status.as_u16()),
            });
            exchange.success()
        }))
    }
}

/// Set when the first client of the process that tracks redirects is built. Relaxed, because no other data depends on it, and a
/// thread that does not see it yet only leaves a request untracked, which is then not retried unless that is safe.
static IS_ON: AtomicBool = AtomicBool::new(false);

/// Returns whether any client of the process tracks redirects.
#[inline]
pub(crate) fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// A request and its result: the status of a response, or `None` for an error.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exchange {
    method: Method,
    status: Option<u16>,
}

/// The requests that tracking clients sent: the first one, and their number.
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

    /// Returns whether there was a single request, with this method, whose result was this status, or an error for `None`.
    pub(crate) fn is_only(&self, method: &str, status: Option<u16>) -> bool {
        let first = self.first.as_ref().filter(|_| self.count == 1);
        first.is_some_and(|first| first.method.as_str() == method && first.status == status)
    }
}

thread_local! {
    /// The requests since the attempt that is being polled on this thread was entered; `None` outside an attempt.
    static CURRENT: Cell<Option<Seen>> = const { Cell::new(None) };
}

fn note(exchange: Exchange) {
    if let Some(mut seen) = CURRENT.take() {
        seen.add(&Seen { first: Some(exchange), count: 1 });
        CURRENT.set(Some(seen));
    }
}

/// Adds the requests that are sent while it lives to `seen`, and to those of an attempt around this one.
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
    /// A future that also returns the requests that were sent while it was polled, if it looks for them.
    #[derive(Debug)]
    pub(crate) struct Watched<F> {
        looks: bool,
        seen: Seen,
        #[pin]
        future: F,
    }
}

impl<F> Watched<F> {
    pub(crate) fn new(future: F, looks: bool) -> Self {
        Self { looks, seen: Seen::NONE, future }
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = (F::Output, Seen);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<(F::Output, Seen)> {
        let this = self.project();
        let polled = {
            let _watching = this.looks.then(|| Watching::new(this.seen));
            this.future.poll(cx)
        };
        polled.map(|outcome| (outcome, core::mem::replace(this.seen, Seen::NONE)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_sees_only_its_own_requests_and_those_of_nested_attempts() {
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
