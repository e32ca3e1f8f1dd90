//! The loop of requests, which `send_with_retry`, `send_first_of` and the middleware share.

use core::fmt::{self, Display};
use core::ops::ControlFlow;
use core::time::Duration;
use std::error::Error;
use std::sync::{Arc, OnceLock};

use http::Extensions;
use reqwest::{Client, Request, Response, Url};

use super::options::{Ending, Options, of_client};
use super::per_host::Host;
use super::redirects::{self, Seen, Watched};
use super::sent::Sent;
use super::source::Source;
use crate::classify::class::Class;
use crate::classify::clients::body::Undrained;
use crate::classify::clients::reqwest::error_of;
use crate::classify::connection::Via;
use crate::classify::drain::{DrainBody, DrainLimits};
use crate::classify::failure::Failure;
use crate::classify::no_retry::ServerAdvice;
use crate::classify::retryable::Retryable;
use crate::classify::timed_out::TimedOut;
use crate::classify::verdict::{Classification, NotSafe, Verdict};
use crate::engine::attempt_future::AttemptFuture;
use crate::engine::call::Call as _;
use crate::engine::caller_limit::limited_by_caller;
use crate::engine::executor::Executor;
use crate::engine::hooks::{Hooks, NextDelay};
use crate::engine::manual_call::ManualCall;
use crate::engine::pause::Pause;
use crate::engine::retrying::Retrying;
use crate::load::breaker::pass::Pass;
use crate::load::breaker::{Breaker, maybe_probe};
use crate::observe::reason::{FallbackReason, WithSources};
use crate::policy::attempt::Attempt;
use crate::util::shared::Shared;

/// Ends the call of a request that could not be built, as one attempt whose failure is not retried.
#[cold]
pub(super) fn never_sent(mut retry: Executor<ManualCall<'_>>, error: reqwest::Error) -> reqwest::Error {
    retry.core.begin();
    retry.core.fail(Verdict::GiveUp(Failure::of(&error)), &WithSources(&error));
    error
}

/// A way to send one request: a client, or middleware and a client.
pub(super) trait Transport: Send {
    type Error: Retryable + Error + From<reqwest::Error> + From<TimedOut> + Send + 'static;

    /// `extensions` are those of the request for middleware.
    fn send(
        &mut self,
        request: Request,
        extensions: Option<Extensions>,
    ) -> impl Future<Output = Result<Response, Self::Error>> + Send;

    fn url_of_error(error: &Self::Error) -> Option<&Url>;
}

impl Transport for Client {
    type Error = reqwest::Error;

    #[inline]
    fn send(
        &mut self,
        request: Request,
        _: Option<Extensions>,
    ) -> impl Future<Output = reqwest::Result<Response>> + Send {
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
    /// The host of the current attempt, if hosts have budgets or breakers of their own.
    host: Option<Arc<Host>>,
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
        Self { retry, options, source, transport, sent: Sent::default(), host: None }
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
        let Self { retry, options, source, sent, host, .. } = self;
        retry.core.response_came_over(Via::of(outcome.as_ref().ok().and_then(Retryable::connection)));
        if sent.rejected_by_host {
            let at = outcome.as_ref().err().and_then(T::url_of_error);
            sent.goes_elsewhere = options.are_other_hosts(at, source.next_url());
        }
        let verdict = options.verdict(&outcome, sent);
        let verdict =
            if asks_another(&outcome, source.next_url()) { without_request_of_server(verdict) } else { verdict };
        let verdict = sent.followed(verdict, || options.may_follow_all(source.next_method()));
        let verdict = repeatable(verdict, source.has_more());
        if let Some(host) = host.take() {
            pay_from(retry, &host, verdict);
        }
        if verdict == Verdict::Done {
            return ControlFlow::Break(retry.succeed(outcome));
        }
        let (delay, ending) = match options.has_retry_hooks() {
            false => (retry.core.fail(verdict, &FailureText { outcome: &outcome, verdict }), None),
            true => fail_with_hooks(retry, options, verdict, &outcome),
        };
        match delay {
            None => ControlFlow::Break(ending.map_or(outcome, |error| Err(error_of(error).into()))),
            Some(delay) => {
                let url = outcome.as_ref().map_or_else(T::url_of_error, |response| Some(response.url()));
                let url = url.filter(|url| source.is_next(url)).cloned();
                let remains = remains(outcome, retry.core.active.call.policy().drain_limits());
                ControlFlow::Continue(Next { delay, remains, url })
            }
        }
    }

    /// Sends the request of one attempt. `known` is its URL, if that has been found already.
    async fn attempt(&mut self, known: Option<Url>) -> Result<Response, T::Error> {
        let Self { retry, options, source, transport, sent, host } = self;
        let current = options.looks_at_attempts().then(|| retry.current());
        // Nothing of this attempt is sent yet. If it fails before that, the server cannot have processed its request.
        (sent.guarded, sent.seen, sent.rejected_by_host) = (None, Seen::NONE, false);
        // Outside the attempt, so that an attempt that is cut off still counts.
        let breaker = OnceLock::new();
        let mut pass = Pass::none();
        let attempt = async {
            let mut request = source.request(known).await?;
            let before = &options.before_attempt;
            let client = match current {
                None => None,
                Some(current) if !before.awaits() => before.prepare(current, &mut request),
                // Boxed, because it would otherwise enlarge the future of every call.
                Some(current) => Box::pin(before.prepare_async(current, &mut request)).await?,
            };
            *host = options.host(&request);
            if let Some(of_host) = options.breaker(host.as_deref()) {
                let admitted = admit(&mut pass, breaker.get_or_init(|| of_host), request.url()).await;
                sent.rejected_by_host = admitted.is_err() && host.as_ref().is_some_and(|host| host.breaker.is_some());
                admitted?;
            }
            if let (Some(propagation), Some(current)) = (&options.propagation, &current) {
                // The time is computed here, because the hooks and the breaker may have taken some.
                propagation.decorate(&mut request, current);
            }
            sent.guarded = options.guards(&request).then(|| request.method().clone());
            // reqwest does not report a request whose body it cannot copy, but does report the redirected requests after it. A
            // single one that was seen would then be no proof.
            let is_stream = request.body().is_some_and(|body| body.as_bytes().is_none());
            let looks = redirects::is_on() && sent.guarded.is_some() && !is_stream;
            let (outcome, seen) = match client {
                None => Watched::new(transport.send(request, source.extensions()), looks).await,
                Some(client) => Watched::new(async { Ok(client.execute(request).await?) }, looks).await,
            };
            sent.seen = seen;
            outcome
        };
        let outcome = AttemptFuture::new(&mut retry.core, maybe_probe(attempt), limited_by_caller()).await;
        if options.has_breaker() {
            // The user's function reads only the delays of responses.
            pass.settle_with(failures(&outcome), |own| {
                outcome.as_ref().map_or(own, |response| options.classified(response))
            });
        }
        outcome
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
                let outcome = call.attempt(known).await;
                match call.judge(outcome) {
                    ControlFlow::Break(outcome) => return outcome,
                    ControlFlow::Continue(decided) => next = Some(decided),
                }
            }
        }
    }
}

/// True if the next request goes to another host than the one that has responded.
fn asks_another<E>(outcome: &Result<Response, E>, next: Option<&Url>) -> bool {
    let host = |url: &Url| (url.host_str().map(str::to_owned), url.port_or_known_default());
    outcome.as_ref().ok().zip(next).is_some_and(|(response, next)| host(response.url()) != host(next))
}

/// A server's request not to retry says nothing about another server.
fn without_request_of_server(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Retry(failure) => Verdict::Retry(failure.with_advice(ServerAdvice::NONE)),
        _ => verdict,
    }
}

/// Lets the budget of the host pay for the retry after this attempt. A retry that succeeds, or is not made, is paid back by the
/// budget that has paid, so a success is only reported to the host's budget if there was no retry.
fn pay_from(retry: &mut Executor<ManualCall<'_>>, host: &Host, verdict: Verdict) {
    let is_settled_by_another = verdict == Verdict::Done && retry.core.active.state.number() > 1;
    if let Some(budget) = host.budget.as_ref().filter(|_| !is_settled_by_another) {
        retry.core.active.call.set_budget(Shared::from(budget.clone()));
    }
}

/// Asks the breaker to admit an attempt at this URL.
async fn admit<'b>(pass: &mut Pass<'b>, breaker: &'b Breaker, url: &Url) -> reqwest::Result<()> {
    match pass.ask(breaker) {
        Ok(()) => Ok(()),
        Err(admission) => admission.await.map_err(|open| reqwest::Error::from(open).with_url(url.clone())),
    }
}

/// The failures that an outcome describes, for a breaker.
fn failures<E: Retryable + Error>(outcome: &Result<Response, E>) -> Classification {
    Classification::new(outcome.as_ref().ok().map(Failure::of), outcome.as_ref().err().map(Failure::of))
}

/// Reports a failure to the executor with the hooks of the user. Returns the delay before the next attempt, if there is one, and
/// the error that ends the call instead of what failed.
#[cold]
fn fail_with_hooks<E: Error + 'static>(
    retry: &mut Executor<ManualCall<'_>>,
    options: &Options,
    verdict: Verdict,
    outcome: &Result<Response, E>,
) -> (Option<Duration>, Ending) {
    let text = FailureText { outcome, verdict };
    let mut ending = None;
    let mut on_retry = |attempt: &Attempt, delay| {
        let Some(hook) = &options.on_retry else { return ControlFlow::Continue(()) };
        let failed = outcome.as_ref().map_err(|error| of_client(error));
        hook(&Retrying::new(failed, attempt, delay).with_error_text(&text)).map_break(|error| ending = error)
    };
    let mut backoff = options.backoff.as_deref().map(|backoff| move |attempt: &Attempt| backoff(attempt));
    let delay = backoff.as_mut().map_or(NextDelay::Scheduled, |backoff| NextDelay::Computed(backoff));
    let delay = retry.core.fail_with(verdict, &text, &mut Hooks { delay, on_retry: Some(&mut on_retry) });
    (delay, ending)
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
