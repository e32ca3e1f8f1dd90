//! The settings of requests with retry: a policy, a condition, and options that only requests have.

use core::fmt;
use core::time::Duration;
use std::error::Error;
use std::sync::Arc;

use http::{HeaderMap, Method};
use reqwest::{Client, Request, Response};

use super::redirects;
use super::sent::Sent;
use crate::classify::condition::Condition;
use crate::classify::failure::Failure;
use crate::classify::retryable::Retryable;
use crate::classify::verdict::Classification;
use crate::classify::verdict::Verdict;
use crate::engine::call::History;
use crate::engine::manual_call::ManualCall;
use crate::observe::event::Observer;
use crate::observe::sink;
use crate::observe::stats::named::{NO_OWN_STATS, of_loop};
use crate::policy::attempt::Attempt;
use crate::policy::builder::Policy;
use crate::util::sealed::Sealed;

/// The settings of requests with retry: a [`Policy`], a [`Condition`], and options that only requests have.
///
/// The same type is used everywhere: by [`send_with_retry`](super::SendWithRetry::send_with_retry) for one request, and by
/// [`send_first_of`](super::SendFirstOf::send_first_of) for several. With the feature `reqwest-middleware` it is also a
/// middleware, which retries every request of a client, and an extension of a single request, which replaces the
/// middleware's settings.
///
/// GET, HEAD, OPTIONS, TRACE, PUT and DELETE are retried on all failures that the condition selects. A request with another
/// method is retried only if the server [cannot have processed](Failure::is_unprocessed) it, or if the request has
/// the header `Idempotency-Key`. [`idempotent`](Self::idempotent) and [`Condition::methods`] change that. A server that has
/// processed a request may redirect the client, and reqwest hides the redirect. The proof that the request was not processed
/// therefore needs a client with [`track_redirects`](super::TrackRedirects::track_redirects), or
/// [`Condition::assume_no_redirects`].
///
/// ```
/// use std::time::Duration;
/// use retry_runtime::{Condition, Policy};
/// use retry_runtime::http::{RequestRetry, SendWithRetry};
///
/// static RETRY: RequestRetry = RequestRetry::new(Policy::fixed(Duration::from_millis(200)).attempts(5))
///     .condition(Condition::new().on_status(&[503..=503]))
///     .name("create order");
///
/// async fn create(client: &reqwest::Client, url: &str) -> reqwest::Result<reqwest::Response> {
///     client.post(url).header("idempotency-key", "7b1e").body("order").send_with_retry(&RETRY).await
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RequestRetry {
    policy: Policy,
    options: Options,
}

/// The settings of a [`RequestRetry`] beside its policy.
#[derive(Clone)]
pub struct Options {
    condition: Condition,
    name: &'static str,
    idempotent: bool,
    on_ok: Option<fn(&Response) -> bool>,
    on_error: Option<fn(&(dyn Error + 'static)) -> bool>,
    server_delay: Option<fn(&Response) -> Option<Duration>>,
    before_attempt: Option<Hook>,
    observer: Option<Arc<dyn Observer>>,
}

type Hook = Arc<dyn Fn(&mut Outgoing<'_>) + Send + Sync>;

impl RequestRetry {
    /// Creates settings with the standard [`Condition`].
    pub const fn new(policy: Policy) -> Self {
        Self { policy, options: Options::new() }
    }

    /// Sets which responses and errors are retried, and which methods may be resent after any failure.
    pub const fn condition(mut self, condition: Condition) -> Self {
        self.options.condition = condition;
        self
    }

    /// Sets the name in events. Defaults to `request`.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.options.name = name;
        self
    }

    /// Declares that for the server, two equal requests have the same effect as one, whatever their method. All of them are
    /// retried as a GET is.
    pub const fn idempotent(mut self) -> Self {
        self.options.idempotent = true;
        self
    }

    /// Sets a predicate that checks each response whose status is not a failure: `true` retries it. The predicate sees the
    /// status and the headers. If the body decides, read it in an annotated function and return an error.
    ///
    /// It is a plain function, so that a `RequestRetry` can be a `static`. If you need a closure that captures, use the `on_ok`
    /// of `#[retry]`, which sees the arguments of its function. The same holds for [`on_error`](Self::on_error) and
    /// [`server_delay`](Self::server_delay).
    pub const fn on_ok(mut self, predicate: fn(&Response) -> bool) -> Self {
        self.options.on_ok = Some(predicate);
        self
    }

    /// Sets a predicate that decides about errors instead of the condition's [`on_error`](Condition::on_error). It receives the
    /// client's error, whose details are in its `source()` chain. In the middleware, it may be the error of another middleware.
    pub const fn on_error(mut self, predicate: fn(&(dyn Error + 'static)) -> bool) -> Self {
        self.options.on_error = Some(predicate);
        self
    }

    /// Sets a function that reads the delay the server asks for from other headers than `Retry-After`, such as
    /// `x-ratelimit-reset`. `None` leaves the delay of `Retry-After`. [`Policy::retry_after`] limits the delay.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use retry_runtime::{Policy, http::RequestRetry};
    /// static RETRY: RequestRetry = RequestRetry::new(Policy::new()).server_delay(|response| {
    ///     let seconds = response.headers().get("x-ratelimit-reset")?.to_str().ok()?.parse().ok()?;
    ///     Some(Duration::from_secs(seconds))
    /// });
    /// ```
    ///
    /// If the header is a point in time, as GitHub's is, in seconds since 1970:
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime};
    /// fn reset(response: &reqwest::Response) -> Option<Duration> {
    ///     let seconds = response.headers().get("x-ratelimit-reset")?.to_str().ok()?.parse().ok()?;
    ///     (SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).duration_since(SystemTime::now()).ok()
    /// }
    /// ```
    pub const fn server_delay(mut self, delay: fn(&Response) -> Option<Duration>) -> Self {
        self.options.server_delay = Some(delay);
        self
    }

    /// Sets a hook that changes the request of each attempt before it is sent, including the first. Each attempt starts
    /// from the original request, so changes do not add up.
    ///
    /// The hook cannot await. If each attempt has to await something first, such as a fresh token, use a function with
    /// `#[retry]`, or a middleware after the one that retries.
    ///
    /// ```
    /// # use retry_runtime::{Policy, http::RequestRetry};
    /// let retry = RequestRetry::new(Policy::new()).before_attempt(|outgoing| {
    ///     let number = outgoing.attempt().number().into();
    ///     outgoing.request_mut().headers_mut().insert("x-attempt", number);
    /// });
    /// ```
    pub fn before_attempt(mut self, hook: impl Fn(&mut Outgoing<'_>) + Send + Sync + 'static) -> Self {
        self.options.before_attempt = Some(Arc::new(hook));
        self
    }

    /// Sets an observer that receives the events, in addition to `tracing`.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.options.observer = Some(Arc::new(observer));
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { condition, name, idempotent, .. } = self;
        f.debug_struct("Options")
            .field("condition", condition)
            .field("name", name)
            .field("idempotent", idempotent)
            .finish_non_exhaustive()
    }
}

/// A [`Policy`] or a [`RequestRetry`].
#[diagnostic::on_unimplemented(
    message = "expected the settings of requests with retry: a `Policy` or a `RequestRetry`",
    label = "`{Self}` is neither a `Policy` nor a `RequestRetry`",
    note = "write `&POLICY`, or `&RequestRetry::new(POLICY).condition(…)`; if it is in an `Arc` or a `LazyLock`, write `&*retry`"
)]
pub trait HowToRetry: Sealed + Sync {
    #[doc(hidden)]
    fn policy(&self) -> &Policy;

    #[doc(hidden)]
    fn options(&self) -> &Options;
}

impl HowToRetry for Policy {
    fn policy(&self) -> &Policy {
        self
    }
    // A constant, so that the optimizer sees the values of the standard options and drops the code for all others.
    #[inline(always)]
    fn options(&self) -> &Options {
        const { &Options::new() }
    }
}

impl Sealed for RequestRetry {}

impl HowToRetry for RequestRetry {
    fn policy(&self) -> &Policy {
        &self.policy
    }
    fn options(&self) -> &Options {
        &self.options
    }
}

impl Options {
    const fn new() -> Self {
        Self {
            condition: Condition::new(),
            name: "request",
            idempotent: false,
            on_ok: None,
            on_error: None,
            server_delay: None,
            before_attempt: None,
            observer: None,
        }
    }

    /// Returns whether there is nothing to do before the first failure, so that the first attempt needs no executor.
    #[inline]
    pub(super) fn is_plain(&self, policy: &Policy) -> bool {
        let is_limited = policy.limits_attempts() || policy.budget.is_some();
        !is_limited
            && !policy.backoff.is_custom()
            && !self.looks_at_attempts()
            && self.observer.is_none()
            && !sink::is_enabled()
    }

    #[inline]
    pub(super) fn call<'a>(&'a self, policy: &'a Policy) -> ManualCall<'a> {
        // A history reads the clock, so there is one only if the policy or the hook looks at it.
        let history = (policy.needs_history() || self.looks_at_attempts()).then(History::new);
        let mut call = ManualCall::new(policy, Some(self.name), history);
        call.set_observer(self.observer.as_deref());
        call.send_requests();
        call
    }

    /// Counts the success of a first attempt without an executor.
    #[inline(always)]
    pub(super) fn succeeded_at_once(&self) {
        of_loop(NO_OWN_STATS, self.name).at_once();
    }

    /// Returns whether a hook receives each attempt.
    #[inline]
    pub(super) fn looks_at_attempts(&self) -> bool {
        self.before_attempt.is_some()
    }

    /// Lets the hook change the request of this attempt. Returns the client to send it with, if the hook chose another one.
    #[inline]
    pub(super) fn prepare(&self, attempt: Option<Attempt>, request: &mut Request) -> Option<Client> {
        let (hook, attempt) = (self.before_attempt.as_ref()?, attempt?);
        let mut outgoing = Outgoing { attempt, request, client: None };
        hook(&mut outgoing);
        outgoing.client
    }

    /// Returns whether a request must not be resent unless the server cannot have processed it.
    pub(super) fn guards(&self, request: &Request) -> bool {
        self.guards_head(request.method(), Some(request.headers()))
    }

    /// [`guards`](Self::guards) for a request with this method and these headers.
    pub(super) fn guards_head(&self, method: &Method, headers: Option<&HeaderMap>) -> bool {
        !self.is_free(method) && !headers.is_some_and(|headers| headers.contains_key("idempotency-key"))
    }

    /// Returns whether a request with this method may be resent after any failure.
    fn is_free(&self, method: &Method) -> bool {
        self.idempotent || self.condition.lists_method(method.as_str())
    }

    /// Returns whether the first attempt has to look for redirects, and a client of the process may report them.
    #[inline]
    pub(super) fn looks_for_redirects(&self, request: &Request) -> bool {
        redirects::is_on() && self.guards(request)
    }

    /// Returns whether a request with this method may be sent after one that may have been processed. A hook may change the
    /// method, and a condition for one method holds for all requests.
    pub(super) fn may_follow_all(&self, next: Option<&Method>) -> bool {
        !self.looks_at_attempts() && !self.condition.is_guarded() && next.is_some_and(|next| self.is_free(next))
    }

    /// Returns whether the outcome is clearly a success: by its status, and `on_ok` does not refuse it.
    #[inline]
    pub(super) fn is_done<E>(&self, outcome: &Result<Response, E>) -> bool {
        outcome
            .as_ref()
            .is_ok_and(|response| self.condition.is_success(response.status().as_u16()) && !self.refuses(response))
    }

    /// Judges an outcome. The headers of a response are read only if there may be another attempt.
    pub(super) fn verdict<E: Retryable + Error + 'static>(
        &self,
        outcome: &Result<Response, E>,
        sent: &Sent,
    ) -> Verdict {
        if self.is_done(outcome) {
            return Verdict::Done;
        }
        let classification = match outcome {
            Ok(response) => {
                // A response with a successful status gets here only if `on_ok` refuses it.
                let refused = self.condition.is_success(response.status().as_u16());
                Classification::new(Some(self.failure(response)), None).on_ok(refused)
            }
            Err(error) => {
                let decided = self.on_error.map(|predicate| predicate(of_client(error)));
                Classification::new(None, Some(Failure::of(error))).on_error(decided)
            }
        };
        let classification =
            if sent.is_direct(classification.status()) { classification.not_redirected() } else { classification };
        self.condition.guarded(sent.is_guarded()).verdict(classification)
    }

    #[inline]
    fn refuses(&self, response: &Response) -> bool {
        self.on_ok.is_some_and(|predicate| predicate(response))
    }

    fn failure(&self, response: &Response) -> Failure {
        let failure = Failure::of(response);
        match self.server_delay.and_then(|delay| delay(response)) {
            Some(delay) => failure.with_server_delay(delay),
            None => failure,
        }
    }
}

/// The client's error, out of the error of reqwest-middleware, which does not have it in its `source()` chain.
fn of_client<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    #[cfg(feature = "reqwest-middleware")]
    match error.downcast_ref() {
        Some(reqwest_middleware::Error::Reqwest(error)) => return error,
        Some(reqwest_middleware::Error::Middleware(error)) => return &**error,
        None => {}
    }
    error
}

/// A request that is about to be sent, as the hook of [`RequestRetry::before_attempt`] receives it.
#[derive(Debug)]
pub struct Outgoing<'a> {
    attempt: Attempt,
    request: &'a mut Request,
    client: Option<Client>,
}

impl Outgoing<'_> {
    /// The attempt that sends the request.
    #[must_use]
    pub fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &Request {
        self.request
    }

    /// The request, to change its method, URL, headers or body.
    pub fn request_mut(&mut self) -> &mut Request {
        self.request
    }

    /// Sends this attempt with another client, for example one with another proxy. The request skips all middleware after the
    /// one that retries.
    pub fn send_through(&mut self, client: Client) {
        self.client = Some(client);
    }
}
