//! A different request for each attempt: `send_first_of`.

use core::pin::Pin;

use http::Extensions;
use reqwest::{Client, Request, Response};

use super::call::{Call, Transport, never_sent};
use super::how_to_retry::HowToRetry;
use super::source::RequestList;
use crate::classify::clients::reqwest::error_of;
use crate::engine::executor::Executor;
use crate::util::sealed::Sealed;

/// A different request for each attempt: `client.send_first_of(&POLICY, [request, …])`.
pub trait SendFirstOf: Sized {
    /// The client's error.
    type Error;

    /// Sends the first request; if it fails, the second, and so on. The last request is repeated. Method, URL, headers and body
    /// may all differ. Returns the last response or error.
    ///
    /// The requests are request builders, or built requests. This client sends all of them, whichever client the builders are
    /// from.
    ///
    /// After a request that may have been processed, such as a POST, only requests whose method is among the condition's
    /// [`methods`](crate::Condition::methods) follow. After any other failure, any request may. The rules are those of
    /// [`RequestRetry`](super::RequestRetry).
    ///
    /// ```
    /// # use retry_runtime::{Policy, http::SendFirstOf};
    /// # async fn fetch(client: &reqwest::Client) -> reqwest::Result<reqwest::Response> {
    /// let mirrors = ["https://one.example", "https://two.example"].map(|url| client.get(url));
    /// client.send_first_of(&Policy::new(), mirrors).await
    /// # }
    /// ```
    ///
    /// A client of `reqwest-middleware` sends each request through its middleware, with the builder's extensions. A
    /// [`RequestRetry`](super::RequestRetry) among the middleware passes these requests on, because `retry` takes its place.
    ///
    /// # Errors
    ///
    /// The last error of the client. If a request cannot be built, its error, and nothing is sent. If `requests` is empty, an
    /// error that belongs to no request.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the request that is under way, and nothing else.
    // Not `impl Future`: a wrong type of the requests would be reported three times.
    fn send_first_of<'a, R: IntoRequest<Self>>(
        &self,
        retry: &'a impl HowToRetry,
        requests: impl IntoIterator<Item = R>,
    ) -> SendingFirstOf<'a, Self::Error>;
}

/// The future of [`send_first_of`](SendFirstOf::send_first_of).
pub type SendingFirstOf<'a, E> = Pin<Box<dyn Future<Output = Result<Response, E>> + Send + 'a>>;

/// A request, or a builder of one, that a client `C` can send.
#[diagnostic::on_unimplemented(
    message = "expected requests or request builders of this client",
    label = "`{Self}` is neither a `reqwest::Request` nor a request builder",
    note = "the request builders of `reqwest-middleware` need a `ClientWithMiddleware`, because they carry extensions for middleware"
)]
pub trait IntoRequest<C>: Sealed {
    #[doc(hidden)]
    fn into_request(self) -> reqwest::Result<(Request, Extensions)>;
}

impl Sealed for Request {}

#[diagnostic::do_not_recommend]
impl<C> IntoRequest<C> for Request {
    fn into_request(self) -> reqwest::Result<(Request, Extensions)> {
        Ok((self, Extensions::new()))
    }
}

impl Sealed for reqwest::RequestBuilder {}

#[diagnostic::do_not_recommend]
impl<C> IntoRequest<C> for reqwest::RequestBuilder {
    fn into_request(self) -> reqwest::Result<(Request, Extensions)> {
        Ok((self.build()?, Extensions::new()))
    }
}

#[cfg(feature = "reqwest-middleware")]
impl Sealed for reqwest_middleware::RequestBuilder {}

#[cfg(feature = "reqwest-middleware")]
#[diagnostic::do_not_recommend]
impl IntoRequest<reqwest_middleware::ClientWithMiddleware> for reqwest_middleware::RequestBuilder {
    fn into_request(mut self) -> reqwest::Result<(Request, Extensions)> {
        let extensions = core::mem::take(self.extensions());
        Ok((self.build()?, extensions))
    }
}

/// A mark among the extensions of a request that is already being retried. A `RequestRetry` among the middleware passes it on.
#[cfg(feature = "reqwest-middleware")]
#[derive(Clone, Copy, Debug)]
pub(super) struct RetriedAbove;

impl SendFirstOf for Client {
    type Error = reqwest::Error;

    fn send_first_of<'a, R: IntoRequest<Self>>(
        &self,
        retry: &'a impl HowToRetry,
        requests: impl IntoIterator<Item = R>,
    ) -> SendingFirstOf<'a, Self::Error> {
        Box::pin(send(self.clone(), retry, build(requests)))
    }
}

#[cfg(feature = "reqwest-middleware")]
impl SendFirstOf for reqwest_middleware::ClientWithMiddleware {
    type Error = reqwest_middleware::Error;

    fn send_first_of<'a, R: IntoRequest<Self>>(
        &self,
        retry: &'a impl HowToRetry,
        requests: impl IntoIterator<Item = R>,
    ) -> SendingFirstOf<'a, Self::Error> {
        Box::pin(send(self.clone(), retry, build(requests)))
    }
}

type Requests = reqwest::Result<Vec<(Request, Extensions)>>;

fn build<C, R: IntoRequest<C>>(requests: impl IntoIterator<Item = R>) -> Requests {
    requests.into_iter().map(IntoRequest::into_request).collect()
}

async fn send<T: Transport>(transport: T, retry: &impl HowToRetry, requests: Requests) -> Result<Response, T::Error> {
    let (policy, options) = (retry.policy(), retry.options());
    let first = requests.as_ref().ok().and_then(|requests| requests.first());
    let executor = Executor::start(options.call(policy, first.map(|(request, _)| request)));
    let requests = match requests {
        Ok(requests) => RequestList::new(requests).ok_or_else(|| error_of("there are no requests to send".into()))?,
        Err(error) => return Err(never_sent(executor, error).into()),
    };
    Call::new(executor, options, requests, transport).run(None).await
}
