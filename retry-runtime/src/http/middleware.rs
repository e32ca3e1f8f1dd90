//! The middleware, which retries every request that a client sends.

use core::ops::ControlFlow;

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Request, Response, Url};
use reqwest_middleware::{ClientWithMiddleware, Error, Middleware, Next};

use super::call::{Call, Transport};
use super::first_of::RetriedAbove;
use super::how_to_retry::HowToRetry;
use super::request_retry::RequestRetry;
use super::source::Repeated;
use crate::classify::timed_out::TimedOut;
use crate::context::caller;
use crate::engine::executor::Executor;

/// Retries every request that the client sends, by the same rules as
/// [`send_with_retry`](super::SendWithRetry::send_with_retry). A `RequestRetry` among the extensions of a request replaces
/// this one for that request.
///
/// The time limits of the policy end at the head of the response. To limit and retry the reading of the body too, do both in a function with
/// `#[retry]`, and send that request without this middleware.
///
/// Middleware that is added after this one sees every attempt. Middleware that is added before it sees the call as a whole.
///
/// With a client that has [`track_redirects`](super::TrackRedirects::track_redirects), a POST that was not redirected can be
/// retried. Middleware that sends requests of its own during an attempt hides the proof, and the POST is then sent once.
///
/// ```
/// use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
/// use retry_runtime::{Policy, http::RequestRetry};
///
/// fn client() -> ClientWithMiddleware {
///     ClientBuilder::new(reqwest::Client::new()).with(RequestRetry::new(Policy::new())).build()
/// }
///
/// async fn order(client: &ClientWithMiddleware) -> reqwest_middleware::Result<reqwest::Response> {
///     let patient = RequestRetry::new(Policy::new().attempts(10)).idempotent();
///     client.post("https://api.example/orders").with_extension(patient).send().await
/// }
/// ```
///
/// # Cancel safety
///
/// Dropping the future of a request drops the attempt that is under way, and nothing else.
#[async_trait]
impl Middleware for RequestRetry {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        if extensions.get::<RetriedAbove>().is_some() {
            return next.run(request, extensions).await;
        }
        // `async_trait` moves this future to the heap as a whole, for every request. To keep it small, rarely used parts
        // are in boxes of their own, and the outcome goes out of scope before the last `await`.
        let own = extensions.get::<Self>().map(|own| Box::new(own.clone()));
        let retry = own.as_deref().unwrap_or(self);
        let (policy, options) = (retry.policy(), retry.options());
        let is_plain = options.is_plain(policy) && !options.looks_for_redirects(&request);
        // The executor cuts the request off when its caller has left.
        let rest = if is_plain && !caller::has_deadline() {
            let mut requests = Repeated::nothing();
            let outcome = requests.first(request, |request| next.clone().run(request, extensions)).await;
            if options.is_done(&outcome) {
                options.succeeded_at_once();
                return outcome;
            }
            let through = Through { next, extensions };
            let mut call = Call::new(Executor::start(options.call(policy, None)), options, requests, through);
            match call.after_first(outcome) {
                ControlFlow::Break(outcome) => return outcome,
                ControlFlow::Continue(next) => Box::pin(call.run(Some(next))),
            }
        } else {
            let through = Through { next, extensions };
            let retry = Executor::start(options.call(policy, Some(&request)));
            Box::pin(Call::new(retry, options, Repeated::all_of(request), through).run(None))
        };
        rest.await
    }
}

/// The middleware after this one, and the client.
struct Through<'a> {
    next: Next<'a>,
    extensions: &'a mut Extensions,
}

impl Transport for Through<'_> {
    type Error = Error;

    fn send(
        &mut self,
        request: Request,
        _: Option<Extensions>,
    ) -> impl Future<Output = reqwest_middleware::Result<Response>> + Send {
        self.next.clone().run(request, self.extensions)
    }

    fn url_of_error(error: &Error) -> Option<&Url> {
        url_of_error(error)
    }
}

impl Transport for ClientWithMiddleware {
    type Error = Error;

    async fn send(&mut self, request: Request, extensions: Option<Extensions>) -> reqwest_middleware::Result<Response> {
        let mut extensions = extensions.unwrap_or_default();
        extensions.insert(RetriedAbove);
        self.execute_with_extensions(request, &mut extensions).await
    }

    fn url_of_error(error: &Error) -> Option<&Url> {
        url_of_error(error)
    }
}

fn url_of_error(error: &Error) -> Option<&Url> {
    match error {
        Error::Reqwest(error) => error.url(),
        Error::Middleware(_) => None,
    }
}

impl From<TimedOut> for Error {
    fn from(timed_out: TimedOut) -> Self {
        Self::Reqwest(timed_out.into())
    }
}
