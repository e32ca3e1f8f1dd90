//! Requests with retry: `send_with_retry` and `stream_with_retry`.

use core::mem;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;
use reqwest::{Client, Request, RequestBuilder, Response};

use super::body::IntoBody;
use super::call::{Call, never_sent};
use super::first_limit::FirstLimit;
use super::how_to_retry::HowToRetry;
use super::options::Options;
use super::simulated::SimulatedRequest;
use super::source::{Repeated, Streamed};
use crate::context::caller;
use crate::engine::executor::Executor;
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
    /// The time limits of the policy end at the head of the response, because its body is read after this call. To limit and retry the
    /// reading of the body too, do both in a function with `#[retry]`.
    ///
    /// reqwest does not expose the extensions that came with an [`http::Request`], so only the first attempt is sure to have them.
    /// [`send_first_of`](super::SendFirstOf::send_first_of) keeps them.
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
    /// The last error of the client. If a time limit of the policy, or the [deadline of a caller](crate::Deadline) outside this
    /// process, cuts an attempt off, its error is one for which `is_timeout()` is true.
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
        let retry = Executor::start(options.call(policy, request.as_ref().ok()));
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
    let (limit, simulated) = Default::default();
    Sending { state, limit, client, policy, options, requests, simulated }
}

pin_project! {
    /// The future of [`send_with_retry`](SendWithRetry::send_with_retry). It is not an `async` block, because that would move
    /// requests and responses more often, and moves are most of what a successful request costs here.
    struct Sending<'a, F> {
        #[pin]
        state: SendState<'a, F>,
        limit: FirstLimit,
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
        /// The first attempt of a plain request. Nothing observes or limits it, so it needs no executor until it fails.
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
        let this = self.as_mut().project();
        let has_deadline = caller::has_deadline();
        // A single variable, which is returned as it is, so that no response is moved.
        let mut polled = match this.state.project() {
            SendStateProjection::First { first } => match has_deadline.then(|| this.limit.refuse()).flatten() {
                Some(error) => Poll::Ready(Err(error)),
                None => this.simulated.poll(|| this.options.call(this.policy, None), || first.poll(cx)),
            },
            SendStateProjection::Boxed { future } => future.as_mut().poll(cx),
        };
        if has_deadline && polled.is_pending() {
            polled = self.as_mut().cut_off(cx);
        }
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
    /// Ends a pending first attempt if the caller has left. The loop ends its own attempts.
    #[cold]
    #[inline(never)]
    fn cut_off(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<reqwest::Result<Response>> {
        let this = self.project();
        match this.state.project() {
            SendStateProjection::First { .. } => this.limit.poll(cx).map(Err),
            SendStateProjection::Boxed { .. } => Poll::Pending,
        }
    }

    /// Enters the loop after the first attempt has failed. Cold and not inlined, to keep the poll of a successful request
    /// small.
    #[cold]
    #[inline(never)]
    fn go_on(self: Pin<&mut Self>, polled: &mut Poll<reqwest::Result<Response>>, cx: &mut Context<'_>) {
        let Poll::Ready(outcome) = mem::replace(polled, Poll::Pending) else { return };
        let mut this = self.project();
        let requests = mem::replace(this.requests, Repeated::nothing());
        let start = || Executor::start(this.options.call(this.policy, None));
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
    let retry = Executor::start(options.call(policy, request.as_ref().ok()));
    match request {
        Ok(request) => Call::new(retry, options, Repeated::all_of(request), client).run(None).await,
        Err(error) => Err(never_sent(retry, error)),
    }
}
