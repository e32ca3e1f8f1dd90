//! The loop around a request.

use core::fmt::{self, Display};
use std::error::Error;

use reqwest::{Client, Request, RequestBuilder, Response};

use super::body::{IntoBody, error_of};
use super::drain::Unread;
use super::request_retry::{HowToRetry, Options};
use super::source::{Listed, Repeated, Source, Streamed};
use crate::pause::{Pause, Remains};
use crate::reason::{Unnamed, write_chain};
use crate::{Executor, Failure, GiveUp, Policy, Retryable, TimedOut, Verdict};

/// `client.get(url).send_with_retry(&POLICY)`: sends a request, again where that is worth it.
///
/// The request goes through the client that built it, with all that was set up for it; nothing of it is changed. Gives
/// the last response or error as it is.
pub trait SendWithRetry: Sized {
    /// Sends the request until it succeeds, or until `retry` (a [`Policy`] or a [`RequestRetry`](super::RequestRetry)) says that
    /// it is enough.
    ///
    /// A request whose body is a stream is sent once, never again without its body; the event that ends the call says so.
    /// [`stream_with_retry`](Self::stream_with_retry) makes the body anew.
    ///
    /// A request without a body is copied part by part, for a success to cost no allocation. What reqwest does not show, the
    /// extensions that came with an [`http::Request`], only the first attempt has;
    /// [`send_first_of`](SendFirstOf::send_first_of) keeps them.
    ///
    /// ```
    /// use std::time::Duration;
    /// use retry_runtime::Policy;
    /// use retry_runtime::http::SendWithRetry;
    ///
    /// const POLICY: Policy = Policy::exponential(Duration::from_millis(200)).attempts(4);
    ///
    /// async fn fetch(client: &reqwest::Client, url: &str) -> reqwest::Result<String> {
    ///     client.get(url).send_with_retry(&POLICY).await?.error_for_status()?.text().await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The last error of the client. An attempt that a time limit of the policy cuts off gives one with `is_timeout()`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the request that is under way, and nothing else.
    fn send_with_retry(self, retry: &impl HowToRetry) -> impl Future<Output = reqwest::Result<Response>> + Send;

    /// [`send_with_retry`](Self::send_with_retry) with a body that is made anew for each attempt: a file that is opened
    /// again, a stream.
    ///
    /// The factory gives a [`Body`](reqwest::Body), or a `Result` of one. Its error ends the attempt before anything is sent,
    /// as an error of the client whose `source()` it is, and is worth another attempt by the usual rule.
    ///
    /// ```
    /// # use retry_runtime::{Policy, http::SendWithRetry};
    /// # async fn upload(client: &reqwest::Client, url: &str) -> reqwest::Result<()> {
    /// use reqwest::Body;
    ///
    /// let open = || async { std::fs::read("report.pdf").map(Body::from) };
    /// client.put(url).stream_with_retry(&Policy::new(), open).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The last error of the client, or of the factory.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the request that is under way, and nothing else.
    fn stream_with_retry<F, A>(
        self,
        retry: &impl HowToRetry,
        body: F,
    ) -> impl Future<Output = reqwest::Result<Response>> + Send
    where
        F: FnMut() -> A + Send,
        A: Future<Output: IntoBody> + Send;
}

impl SendWithRetry for RequestBuilder {
    #[inline]
    async fn send_with_retry(self, retry: &impl HowToRetry) -> reqwest::Result<Response> {
        let (policy, options) = (retry.policy(), retry.options());
        let (client, request) = self.build_split();
        send(policy, options, Repeated::new(request, policy.is_single()), client).await
    }

    async fn stream_with_retry<F, A>(self, retry: &impl HowToRetry, body: F) -> reqwest::Result<Response>
    where
        F: FnMut() -> A + Send,
        A: Future<Output: IntoBody> + Send,
    {
        let (client, request) = self.build_split();
        send(retry.policy(), retry.options(), Streamed::new(request, body), client).await
    }
}

/// `client.send_first_of(&POLICY, [request, …])`: another request for each attempt.
pub trait SendFirstOf {
    /// Sends the first request, where that fails the second, and so on; the last one repeats. Method, URL, headers and body
    /// may all differ. Gives the last response or error.
    ///
    /// Whether a failed request may be followed by another one is up to its own method, as in
    /// [`RequestRetry`](super::RequestRetry).
    ///
    /// ```
    /// # use retry_runtime::{Policy, http::SendFirstOf};
    /// # async fn fetch(client: &reqwest::Client) -> reqwest::Result<reqwest::Response> {
    /// let mirrors = [client.get("https://one.example").build()?, client.get("https://two.example").build()?];
    /// client.send_first_of(&Policy::new(), mirrors).await
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The last error of the client; an error without a request if there are no requests.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the request that is under way, and nothing else.
    fn send_first_of(
        &self,
        retry: &impl HowToRetry,
        requests: impl IntoIterator<Item = Request> + Send,
    ) -> impl Future<Output = reqwest::Result<Response>> + Send;
}

impl SendFirstOf for Client {
    fn send_first_of(
        &self,
        retry: &impl HowToRetry,
        requests: impl IntoIterator<Item = Request> + Send,
    ) -> impl Future<Output = reqwest::Result<Response>> + Send {
        let requests = Listed::new(requests.into_iter().collect());
        async {
            let requests = requests.ok_or_else(|| error_of("there are no requests to send".into()))?;
            send(retry.policy(), retry.options(), requests, self.clone()).await
        }
    }
}

/// What sends one request.
pub(super) trait Transport: Send {
    type Error: Retryable + Error + From<reqwest::Error> + From<TimedOut> + Send + 'static;

    fn send(&mut self, request: Request) -> impl Future<Output = Result<Response, Self::Error>> + Send;
}

impl Transport for Client {
    type Error = reqwest::Error;

    #[inline]
    fn send(&mut self, request: Request) -> impl Future<Output = reqwest::Result<Response>> + Send {
        self.execute(request)
    }
}

/// Sends what `source` gives through `transport`.
#[inline]
pub(super) async fn send<T: Transport>(
    policy: &Policy,
    options: &Options,
    mut source: impl Source,
    mut transport: T,
) -> Result<Response, T::Error> {
    let mut retry = Executor::start(options.call(policy));
    loop {
        let pause = {
            // Nothing was sent yet, so nothing was processed.
            let mut guarded = false;
            let current = options.looks_at_attempts().then(|| retry.current());
            let attempt = async {
                let mut request = source.request().await?;
                let client = options.prepare(current, &mut request);
                guarded = options.guards(&request);
                match client {
                    None => transport.send(request).await,
                    Some(client) => Ok(client.execute(request).await?),
                }
            };
            let outcome = retry.attempt(attempt).await;
            let verdict = match &outcome {
                Ok(response) => options.of_response(response, guarded),
                Err(error) => options.of_error(Failure::of(error), error, guarded),
            };
            if verdict == Verdict::Done {
                return retry.succeed(outcome);
            }
            let verdict = repeatable(verdict, source.has_more());
            match retry.settle(verdict, &Reason { outcome: &outcome, verdict }) {
                None => return outcome,
                Some(delay) => Pause::new(&mut retry, delay, remains(outcome, policy)),
            }
        };
        pause.await;
    }
}

/// There is no other attempt without another request.
fn repeatable(verdict: Verdict, has_more: bool) -> Verdict {
    match verdict {
        Verdict::Retry(failure) if !has_more => Verdict::Barred(failure, GiveUp::BodyUsedUp),
        _ => verdict,
    }
}

fn remains<E>(outcome: Result<Response, E>, policy: &Policy) -> Remains {
    outcome.map_or(Remains::none(), |response| response.read_to_end(policy))
}

/// The text of a failure.
struct Reason<'a, E> {
    outcome: &'a Result<Response, E>,
    verdict: Verdict,
}

impl<E: Error> Display for Reason<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outcome {
            Ok(_) => Unnamed::of(self.verdict).fmt(f),
            Err(error) => write_chain(error, f),
        }
    }
}
