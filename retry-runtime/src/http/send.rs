//! Requests with retry: `send_with_retry`, `send_first_of`, and the loop that they and the middleware share.

use core::fmt::{self, Display};
use core::mem;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::error::Error;

use pin_project_lite::pin_project;
use reqwest::{Client, Request, RequestBuilder, Response, Url};

use super::body::IntoBody;
use super::redirects::{self, Seen, Watched};
use super::request_retry::{HowToRetry, Options};
use super::sent::Sent;
use super::simulated::SimulatedRequest;
use super::source::{Repeated, RequestList, Source, Streamed};
use crate::classify::class::Class;
use crate::classify::clients::body::Undrained;
use crate::classify::clients::reqwest::error_of;
use crate::classify::connection::Via;
use crate::classify::drain::{DrainBody, DrainLimits};
use crate::classify::failure::Failure;
use crate::classify::retryable::Retryable;
use crate::classify::timed_out::TimedOut;
use crate::classify::verdict::{NotSafe, Verdict};
use crate::engine::call::Call as _;
use crate::engine::executor::Executor;
use crate::engine::manual_call::ManualCall;
use crate::engine::pause::Pause;
use crate::observe::reason::{FallbackReason, WithSources};
use crate::policy::builder::Policy;

/// Retries for a [`RequestBuilder`]: `client.get(url).send_with_retry(&POLICY)`.
///
/// The client that built the request sends it, with everything that is set up for that client. The request is not changed. The
/// last response or error is returned as it is.
pub trait SendWithRetry: Sized {
    /// Sends the request, and resends it until it succeeds or until `retry`, a [`Policy`] or a
    /// [`RequestRetry`](super::RequestRetry), ends the retries.
    ///
    /// A request whose body is a stream is sent only once, because it cannot be resent without its body. The event that
    /// ends the call then has [`GiveUp::BodyUsedUp`](crate::event::GiveUp::BodyUsedUp). Use
    /// [`stream_with_retry`](Self::stream_with_retry) to make the body anew for each attempt.
    ///
    /// A request without a body is copied part by part. Of a GET without headers, only the URL is copied, so that a success
    /// costs no allocation. reqwest does not expose the extensions that came with an [`http::Request`], so only the first
    /// attempt is sure to have them. [`send_first_of`](SendFirstOf::send_first_of) keeps them.
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
    /// The last error of the client. If a time limit of the policy cuts an attempt off, its error is one for which
    /// `is_timeout()` is true.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the request that is under way, and nothing else.
    fn send_with_retry(self, retry: &impl HowToRetry) -> impl Future<Output = reqwest::Result<Response>> + Send;

    /// [`send_with_retry`](Self::send_with_retry) with a body that is made anew for each attempt, such as a file that is
    /// reopened, or a stream.
    ///
    /// The factory returns a [`Body`](reqwest::Body), or a `Result` of one. Its error ends the attempt before anything is sent.
    /// The attempt then fails with an error of the client that has the factory's error in its `source()` chain, and the usual
    /// rule decides whether it is retried.
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
    fn send_with_retry(self, retry: &impl HowToRetry) -> impl Future<Output = reqwest::Result<Response>> + Send {
        sending(self, retry.policy(), retry.options())
    }

    async fn stream_with_retry<F, A>(self, retry: &impl HowToRetry, body: F) -> reqwest::Result<Response>
    where
        F: FnMut() -> A + Send,
        A: Future<Output: IntoBody> + Send,
    {
        let (policy, options) = (retry.policy(), retry.options());
        let (client, request) = self.build_split();
        let retry = Executor::start(options.call(policy));
        match request {
            Ok(request) => Call::new(retry, options, Streamed::new(request, body), client).run(None).await,
            Err(error) => Err(never_sent(retry, error)),
        }
    }
}

#[inline]
fn sending<'a>(
    builder: RequestBuilder,
    policy: &'a Policy,
    options: &'a Options,
) -> Sending<'a, impl Future<Output = reqwest::Result<Response>> + Send + use<>> {
    let (client, request) = builder.build_split();
    let mut requests = Repeated::nothing();
    // The client gets the request here, as in reqwest's own `send`, and sends it when the future is polled. A request that
    // is kept until then would be moved more often.
    let state = match request {
        Ok(request) if options.is_plain(policy) && !options.looks_for_redirects(&request) => {
            SendState::First { first: requests.first(request, |request| client.execute(request)) }
        }
        request => SendState::Boxed { future: Box::pin(send_kept(policy, options, client.clone(), request)) },
    };
    Sending { state, client, policy, options, requests, simulated: SimulatedRequest::default() }
}

pin_project! {
    /// The future of [`send_with_retry`](SendWithRetry::send_with_retry). It is not an `async` block, because that would move
    /// requests and responses more often, and moves are most of what a successful request costs here.
    struct Sending<'a, F> {
        #[pin]
        state: SendState<'a, F>,
        client: Client,
        policy: &'a Policy,
        options: &'a Options,
        requests: Repeated,
        simulated: SimulatedRequest<'a>,
    }
}

pin_project! {
    #[project = SendStateProjection]
    enum SendState<'a, F> {
        /// The first attempt of a plain request. Nothing observes or limits it, so there is no executor until it fails.
        First { #[pin] first: F },
        /// The loop. Boxed, so that a request that succeeds at once does not carry it along.
        Boxed { future: BoxedSending<'a> },
    }
}

type BoxedSending<'a> = Pin<Box<dyn Future<Output = reqwest::Result<Response>> + Send + 'a>>;

impl<F: Future<Output = reqwest::Result<Response>>> Future for Sending<'_, F> {
    type Output = reqwest::Result<Response>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<reqwest::Result<Response>> {
        // A single variable, which is returned as it is, so that no response is moved.
        let this = self.as_mut().project();
        let mut polled = match this.state.project() {
            SendStateProjection::First { first } => {
                this.simulated.poll(|| this.options.call(this.policy), || first.poll(cx))
            }
            SendStateProjection::Boxed { future } => future.as_mut().poll(cx),
        };
        if let (SendState::First { .. }, Poll::Ready(outcome)) = (&self.state, &polled) {
            if self.options.is_done(outcome) {
                self.options.succeeded_at_once();
                self.as_mut().project().simulated.succeeded();
            } else {
                self.go_on(&mut polled, cx);
            }
        }
        polled
    }
}

impl<F> Sending<'_, F> {
    /// Enters the loop after the first attempt has failed. Cold and not inlined, to keep the poll of a successful request
    /// small.
    #[cold]
    #[inline(never)]
    fn go_on(self: Pin<&mut Self>, polled: &mut Poll<reqwest::Result<Response>>, cx: &mut Context<'_>) {
        let Poll::Ready(outcome) = mem::replace(polled, Poll::Pending) else { return };
        let mut this = self.project();
        let requests = mem::replace(this.requests, Repeated::nothing());
        let start = || Executor::start(this.options.call(this.policy));
        let retry = this.simulated.failed().unwrap_or_else(start);
        let mut call = Call::new(retry, this.options, requests, this.client.clone());
        *polled = match call.after_first(outcome) {
            ControlFlow::Break(outcome) => Poll::Ready(outcome),
            ControlFlow::Continue(next) => {
                let mut future: BoxedSending<'_> = Box::pin(call.run(Some(next)));
                let polled = future.as_mut().poll(cx);
                this.state.set(SendState::Boxed { future });
                polled
            }
        };
    }
}

/// Sends a request that is not plain, or that could not be built.
async fn send_kept(
    policy: &Policy,
    options: &Options,
    client: Client,
    request: reqwest::Result<Request>,
) -> reqwest::Result<Response> {
    let retry = Executor::start(options.call(policy));
    match request {
        Ok(request) => Call::new(retry, options, Repeated::all_of(request), client).run(None).await,
        Err(error) => Err(never_sent(retry, error)),
    }
}

/// Ends the call of a request that could not be built, as one attempt whose failure is not retried.
#[cold]
fn never_sent(mut retry: Executor<ManualCall<'_>>, error: reqwest::Error) -> reqwest::Error {
    retry.core.begin();
    retry.core.fail(Verdict::GiveUp(Failure::of(&error)), &WithSources(&error));
    error
}

/// A different request for each attempt: `client.send_first_of(&POLICY, [request, …])`.
pub trait SendFirstOf {
    /// Sends the first request; if it fails, the second, and so on. The last request is repeated. Method, URL, headers and body
    /// may all differ. Returns the last response or error.
    ///
    /// A request such as a POST, whose method is not among the condition's [`methods`](crate::Condition::methods), may have
    /// been processed although it failed. Then it is followed only by requests whose method is among them, such as GET.
    /// After any other failure, any request may follow. The rules are those of [`RequestRetry`](super::RequestRetry).
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
    /// The last error of the client. If `requests` is empty, an error that belongs to no request.
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
        let requests = RequestList::new(requests.into_iter().collect());
        async {
            let (policy, options) = (retry.policy(), retry.options());
            let requests = requests.ok_or_else(|| error_of("there are no requests to send".into()))?;
            Call::new(Executor::start(options.call(policy)), options, requests, self.clone()).run(None).await
        }
    }
}

/// A way to send one request: a client, or middleware and a client.
pub(super) trait Transport: Send {
    type Error: Retryable + Error + From<reqwest::Error> + From<TimedOut> + Send + 'static;

    fn send(&mut self, request: Request) -> impl Future<Output = Result<Response, Self::Error>> + Send;

    /// The URL in an error.
    fn url_of_error(error: &Self::Error) -> Option<&Url>;
}

impl Transport for Client {
    type Error = reqwest::Error;

    #[inline]
    fn send(&mut self, request: Request) -> impl Future<Output = reqwest::Result<Response>> + Send {
        self.execute(request)
    }

    fn url_of_error(error: &reqwest::Error) -> Option<&Url> {
        error.url()
    }
}

/// A call whose requests are sent in a loop.
pub(super) struct Call<'a, R, T> {
    retry: Executor<ManualCall<'a>>,
    options: &'a Options,
    source: R,
    transport: T,
    sent: Sent,
}

/// The decision to send another request, and what is left of the response before it.
pub(super) struct Next {
    delay: Duration,
    remains: DrainBody,
    /// The URL of the next request, if it is known.
    url: Option<Url>,
}

impl<'a, R: Source, T: Transport> Call<'a, R, T> {
    #[inline]
    pub(super) fn new(retry: Executor<ManualCall<'a>>, options: &'a Options, source: R, transport: T) -> Self {
        Self { retry, options, source, transport, sent: Sent::default() }
    }

    /// Judges the outcome of a first attempt that was made without this call.
    #[inline]
    pub(super) fn after_first(
        &mut self,
        outcome: Result<Response, T::Error>,
    ) -> ControlFlow<Result<Response, T::Error>, Next> {
        // The attempt was not made by the loop, so its request is not noted yet.
        self.sent.guarded = self.source.guarded(self.options);
        self.judge(outcome)
    }

    /// Judges an outcome, and discards it if another attempt follows.
    fn judge(&mut self, outcome: Result<Response, T::Error>) -> ControlFlow<Result<Response, T::Error>, Next> {
        let Self { retry, options, source, sent, .. } = self;
        retry.core.response_came_over(Via::of(outcome.as_ref().ok().and_then(Retryable::connection)));
        let verdict = options.verdict(&outcome, sent);
        let verdict = sent.followed(verdict, || options.may_follow_all(source.next_method()));
        let verdict = repeatable(verdict, source.has_more());
        if verdict == Verdict::Done {
            return ControlFlow::Break(retry.succeed(outcome));
        }
        match retry.core.fail(verdict, &FailureText { outcome: &outcome, verdict }) {
            None => ControlFlow::Break(outcome),
            Some(delay) => {
                let url = outcome.as_ref().map_or_else(T::url_of_error, |response| Some(response.url()));
                let url = url.filter(|url| source.is_next(url)).cloned();
                let remains = remains(outcome, retry.core.active.call.policy().drain_limits());
                ControlFlow::Continue(Next { delay, remains, url })
            }
        }
    }

    /// Sends the requests, starting with the first attempt, or with the pause before the `next` one.
    pub(super) fn run(self, mut next: Option<Next>) -> impl Future<Output = Result<Response, T::Error>> + Send {
        // Not an `async fn`, which would move the call into a variable, and have room for both.
        let mut call = self;
        async move {
            loop {
                let mut known = None;
                if let Some(Next { delay, remains, url }) = next.take() {
                    Pause::new(&mut call.retry.core, delay, remains).await;
                    known = url;
                }
                let Self { retry, options, source, transport, sent } = &mut call;
                let outcome = attempt(retry, options, source, transport, sent, known).await;
                match call.judge(outcome) {
                    ControlFlow::Break(outcome) => return outcome,
                    ControlFlow::Continue(decided) => next = Some(decided),
                }
            }
        }
    }
}

async fn attempt<T: Transport>(
    retry: &mut Executor<ManualCall<'_>>,
    options: &Options,
    source: &mut impl Source,
    transport: &mut T,
    sent: &mut Sent,
    known: Option<Url>,
) -> Result<Response, T::Error> {
    let current = options.looks_at_attempts().then(|| retry.current());
    // Nothing of this attempt is sent yet. If it fails before that, the server cannot have processed its request.
    (sent.guarded, sent.seen) = (None, Seen::NONE);
    let attempt = async {
        let mut request = source.request(known).await?;
        let client = options.prepare(current, &mut request);
        sent.guarded = options.guards(&request).then(|| request.method().clone());
        // reqwest does not report a request whose body it cannot copy, but does report the redirected requests after it. A
        // single one that was seen would then be no proof.
        let is_stream = request.body().is_some_and(|body| body.as_bytes().is_none());
        let looks = redirects::is_on() && sent.guarded.is_some() && !is_stream;
        let (outcome, seen) = match client {
            None => Watched::new(transport.send(request), looks).await,
            Some(client) => Watched::new(async { Ok(client.execute(request).await?) }, looks).await,
        };
        sent.seen = seen;
        outcome
    };
    retry.attempt(attempt).await
}

/// Turns a retry into the end of the call if no request is left for another attempt.
fn repeatable(verdict: Verdict, has_more: bool) -> Verdict {
    match verdict {
        Verdict::Retry(failure) if !has_more => Verdict::NotSafe(failure, NotSafe::BodyUsedUp),
        _ => verdict,
    }
}

/// The rest of a response that is retried, which is drained during the pause.
fn remains<E>(outcome: Result<Response, E>, limits: DrainLimits) -> DrainBody {
    outcome.map_or(DrainBody::none(), |response| response.drain(limits))
}

/// The text of a failure, for events.
struct FailureText<'a, E> {
    outcome: &'a Result<Response, E>,
    verdict: Verdict,
}

impl<E: Error> Display for FailureText<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outcome {
            // A response has a status, so its class is unknown only if `on_ok` refused it.
            Ok(_) if self.verdict.failure().is_some_and(|failure| failure.class() == Class::Unknown) => {
                FallbackReason::Refused.fmt(f)
            }
            Ok(_) => FallbackReason::of(self.verdict).fmt(f),
            Err(error) => WithSources(error).fmt(f),
        }
    }
}
