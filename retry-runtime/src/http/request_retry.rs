//! How requests are retried: a policy and what only requests need.

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
use crate::engine::call::{History, ManualCall};
use crate::observe::event::Observer;
use crate::observe::sink;
use crate::observe::stats::named::{OwnStats, of_loop};
use crate::policy::attempt::Attempt;
use crate::policy::builder::Policy;
use crate::util::sealed::Sealed;

/// How requests are retried: a [`Policy`], a [`Condition`], and what only requests need.
///
/// One type for every place: [`send_with_retry`](super::SendWithRetry::send_with_retry) for one request,
/// [`send_first_of`](super::SendFirstOf::send_first_of) for several; with the feature `reqwest-middleware` it is a
/// middleware, which retries all that a client sends, and an extension of one request, which replaces the middleware's.
///
/// GET, HEAD, OPTIONS, TRACE, PUT and DELETE are retried on all failures that the condition names. A request with another
/// method is retried only where the server [cannot have processed](Failure::is_unprocessed) it, or where the request has
/// the header `Idempotency-Key`; [`idempotent`](Self::idempotent) and [`Condition::methods`] change that. A client may
/// hide a redirect from a server that has processed the request; so this takes a client with
/// [`track_redirects`](super::TrackRedirects::track_redirects), or [`Condition::assume_no_redirects`].
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

/// What a [`RequestRetry`] says beside its policy.
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
    /// With the standard [`Condition`].
    pub const fn new(policy: Policy) -> Self {
        Self { policy, options: Options::new() }
    }

    /// Which responses and errors are worth another attempt, and which methods may be sent again whatever happened.
    pub const fn condition(mut self, condition: Condition) -> Self {
        self.options.condition = condition;
        self
    }

    /// The name in events; `request` if not said.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.options.name = name;
        self
    }

    /// The server makes no difference between one request and two equal ones, whatever their method: all are retried as
    /// a GET is.
    pub const fn idempotent(mut self) -> Self {
        self.options.idempotent = true;
        self
    }

    /// A look at each response that is no failure by its status: true tries it again. It sees status and headers; a body
    /// is for a function to read, and to make an error of.
    ///
    /// A plain function, so that a `RequestRetry` can be a `static`: a closure that captures is for the `on_ok` of
    /// `#[retry]`, which sees the arguments of its function. The same holds for [`on_error`](Self::on_error) and
    /// [`server_delay`](Self::server_delay).
    pub const fn on_ok(mut self, predicate: fn(&Response) -> bool) -> Self {
        self.options.on_ok = Some(predicate);
        self
    }

    /// Decides about errors instead of the condition's [`on_error`](Condition::on_error). The error is the client's;
    /// what it knows is in its `source()` chain. In the middleware it may be that of other middleware.
    pub const fn on_error(mut self, predicate: fn(&(dyn Error + 'static)) -> bool) -> Self {
        self.options.on_error = Some(predicate);
        self
    }

    /// How long the server asks to wait, for headers other than `Retry-After`, such as `x-ratelimit-reset`. `None` leaves
    /// what `Retry-After` says. Honoured at most up to [`Policy::retry_after`].
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
    /// Where the header is a point in time, such as GitHub's, in seconds since 1970:
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

    /// Changes the request of each attempt before it is sent, the first one too. Each attempt starts from the request as
    /// it was given: changes do not add up.
    ///
    /// It cannot wait. What each attempt has to await first, such as a fresh token, is for a function with `#[retry]`, or
    /// for a middleware that comes after the one that retries.
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

    /// Sends the events to this observer, beside `tracing`.
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
    message = "`{Self}` does not say how requests are retried",
    label = "neither a `Policy` nor a `RequestRetry`",
    note = "write `&POLICY`, or `&RequestRetry::new(POLICY).condition(…)`; of one inside of an `Arc` or a `LazyLock`, `&*retry`"
)]
pub trait HowToRetry: Sealed + Sync {
    #[doc(hidden)]
    fn policy(&self) -> &Policy;

    #[doc(hidden)]
    fn options(&self) -> &Options;
}

impl Sealed for Policy {}

impl HowToRetry for Policy {
    fn policy(&self) -> &Policy {
        self
    }
    // A constant, for the optimizer to know what stands in it.
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

    /// Whether there is nothing to do before the first failure.
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
        // The clock is read only where somebody looks at it.
        let history = (policy.looks_back() || self.looks_at_attempts()).then(History::new);
        ManualCall { policy, name: self.name, observer: self.observer.as_deref(), history, stats: OwnStats::default() }
    }

    /// Of a first attempt without an executor.
    #[inline(always)]
    pub(super) fn succeeded_at_once(&self) {
        of_loop(OwnStats::default(), self.name).at_once();
    }

    #[inline]
    pub(super) fn looks_at_attempts(&self) -> bool {
        self.before_attempt.is_some()
    }

    /// Changes the request as its author wants it for this attempt; gives the client to send it with, if that is another
    /// one.
    #[inline]
    pub(super) fn prepare(&self, attempt: Option<Attempt>, request: &mut Request) -> Option<Client> {
        let (hook, attempt) = (self.before_attempt.as_ref()?, attempt?);
        let mut outgoing = Outgoing { attempt, request, client: None };
        hook(&mut outgoing);
        outgoing.client
    }

    /// Whether a request must not be sent again unless the server cannot have processed it.
    pub(super) fn guards(&self, request: &Request) -> bool {
        self.guards_head(request.method(), Some(request.headers()))
    }

    /// The same of a request with this method and these headers.
    pub(super) fn guards_head(&self, method: &Method, headers: Option<&HeaderMap>) -> bool {
        !self.is_free(method) && !headers.is_some_and(|headers| headers.contains_key("idempotency-key"))
    }

    fn is_free(&self, method: &Method) -> bool {
        self.idempotent || self.condition.has_method(method.as_str())
    }

    /// Returns whether the first attempt at a request has to look for redirects, and a client of the process may report them.
    #[inline]
    pub(super) fn looks_for_redirects(&self, request: &Request) -> bool {
        redirects::is_on() && self.guards(request)
    }

    /// Returns whether a request with this method may be sent after one that may have been processed. A hook may change the
    /// method, and a condition for one method holds for all requests.
    pub(super) fn may_follow_all(&self, next: Option<&Method>) -> bool {
        !self.looks_at_attempts() && !self.condition.is_guarded() && next.is_some_and(|next| self.is_free(next))
    }

    /// Whether there is nothing to decide: by its status alone, the response is a success.
    #[inline]
    pub(super) fn is_done<E>(&self, outcome: &Result<Response, E>) -> bool {
        outcome
            .as_ref()
            .is_ok_and(|response| self.condition.is_success(response.status().as_u16()) && !self.refuses(response))
    }

    /// What an outcome is worth. Headers are looked at only where there may be another attempt.
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
                // A success that is not done is one that `on_ok` wants again.
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

/// The middleware's error hides the one that it holds from its chain.
fn of_client<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    #[cfg(feature = "reqwest-middleware")]
    match error.downcast_ref() {
        Some(reqwest_middleware::Error::Reqwest(error)) => return error,
        Some(reqwest_middleware::Error::Middleware(error)) => return &**error,
        None => {}
    }
    error
}

/// A request that is about to be sent. See [`RequestRetry::before_attempt`].
#[derive(Debug)]
pub struct Outgoing<'a> {
    attempt: Attempt,
    request: &'a mut Request,
    client: Option<Client>,
}

impl Outgoing<'_> {
    /// The attempt that it is for.
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

    /// Sends this attempt with another client, one with another proxy for instance. It goes past all middleware that
    /// comes after the one that retries.
    pub fn send_through(&mut self, client: Client) {
        self.client = Some(client);
    }
}
