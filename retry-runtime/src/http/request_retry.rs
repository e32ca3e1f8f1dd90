//! The settings of requests with retry: a policy, a condition, and options that only requests have.

use core::ops::ControlFlow;
use core::time::Duration;
use std::error::Error;
use std::sync::Arc;

use http::Method;
use reqwest::{Request, Response};

use super::chosen_policy::ChosenPolicy;
use super::options::{Boxed, Options};
use super::outgoing::{HookFuture, Outgoing};
use super::per_host::PerHost;
use crate::classify::condition::Condition;
use crate::engine::retrying::{HookResult, Retrying};
use crate::load::breaker::Breaker;
use crate::observe::event::Observer;
use crate::policy::attempt::Attempt;
use crate::policy::budget::Budget;
use crate::policy::builder::Policy;
use crate::propagation::Propagation;
use crate::util::shared::Shared;

/// The settings of requests with retry: a [`Policy`], a [`Condition`], and options that only requests have.
///
/// The same type is used everywhere: by [`send_with_retry`](super::SendWithRetry::send_with_retry) for one request, and by
/// [`send_first_of`](super::SendFirstOf::send_first_of) for several. With the feature `reqwest-middleware` it is also a
/// middleware, which retries every request of a client, and an extension of a single request, which replaces the
/// middleware's settings.
///
/// GET, HEAD, OPTIONS, TRACE, PUT and DELETE are retried on all failures that the condition selects, and requests with another
/// method only if that is safe: see [which requests are retried](super#which-requests-are-retried).
///
/// The deadline and the attempt timeout of the policy end at the head of the response. To limit and retry the reading of the body too, send
/// the request and read the body in a function with `#[retry]`.
///
/// ```
/// use std::time::Duration;
/// use retry_runtime::{Condition, Policy};
/// use retry_runtime::http::{RequestRetry, SendWithRetry};
///
/// const POLICY: Policy = Policy::fixed(Duration::from_millis(200)).attempts(5);
/// static RETRY: RequestRetry = RequestRetry::new(POLICY)
///     .condition(Condition::new().on_status(&[503..=503]))
///     .name("create order");
///
/// async fn create(client: &reqwest::Client, url: &str) -> reqwest::Result<reqwest::Response> {
///     client.post(url).header("idempotency-key", "7b1e").body("order").send_with_retry(&RETRY).await
/// }
/// ```
///
/// # In a `static`
///
/// With settings that are all `const` functions, a `RequestRetry` can be a `static`. The other settings take closures that may
/// capture, and run-time values. A `static` with those is a [`LazyLock`](std::sync::LazyLock), and used in the same way:
///
/// ```
/// # use std::sync::LazyLock;
/// # use retry_runtime::{Policy, http::{RequestRetry, SendWithRetry}};
/// static RETRY: LazyLock<RequestRetry> =
///     LazyLock::new(|| RequestRetry::new(Policy::new()).on_ok(|response| response.status() == 202));
///
/// # async fn f(client: &reqwest::Client, url: &str) -> reqwest::Result<()> {
/// client.get(url).send_with_retry(&RETRY).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RequestRetry {
    pub(super) policy: Policy,
    pub(super) options: Options,
}

/// Settings that a `static` may have.
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

    /// Sets the name in events. Defaults to `request`. For a run-time name, use [`named`](Self::named).
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

    /// Sends the time left and the number of the attempt with each request: see [`propagation`](crate::propagation). Defaults to off.
    ///
    /// The time is the shortest of the policy's deadline and attempt timeout, the deadline of a call around, and the timeout of the
    /// request itself. A timeout of the client is unknown. The headers are added after the hooks, right before the request is sent.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use retry_runtime::{Policy, http::RequestRetry};
    /// use retry_runtime::propagation::Propagation;
    ///
    /// static RETRY: RequestRetry =
    ///     RequestRetry::new(Policy::new().deadline(Duration::from_secs(2))).propagate(Propagation::new());
    /// ```
    pub const fn propagate(mut self, propagation: Propagation) -> Self {
        self.options.propagation = Some(propagation);
        self.options.needs_executor = true;
        self
    }
}

/// Settings: what is retried.
impl RequestRetry {
    /// Sets a run-time name, which takes precedence over [`name`](Self::name).
    ///
    /// With the features `metrics` and `report`, calls are counted by their name, and there should be few different ones.
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.options.own_name = Some(name.into());
        self
    }

    /// Sets the methods of requests that may be resent after any failure, instead of those of the
    /// [condition](Condition::methods). They are compared case-insensitively. With no methods, no request may be.
    ///
    /// ```
    /// # use retry_runtime::{Policy, http::RequestRetry};
    /// # fn f(configured: &[String]) -> Result<RequestRetry, Box<dyn std::error::Error>> {
    /// let methods: Result<Vec<_>, _> = configured.iter().map(|name| name.parse()).collect();
    /// Ok(RequestRetry::new(Policy::new()).methods(methods?))
    /// # }
    /// ```
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.options.methods = Some(methods.into_iter().collect());
        self
    }

    /// Sets a predicate that checks each response whose status is not a failure: `true` retries it. The predicate sees the
    /// status and the headers. If the body decides, read it in an annotated function and return an error.
    pub fn on_ok(mut self, predicate: impl Fn(&Response) -> bool + Send + Sync + 'static) -> Self {
        self.options.on_ok = Some(Arc::new(predicate));
        self
    }

    /// Sets a predicate that decides about errors instead of the condition's [`on_error`](Condition::on_error). It receives the
    /// client's error, whose details are in its `source()` chain. In the middleware, it may be the error of another middleware.
    pub fn on_error(mut self, predicate: impl Fn(&(dyn Error + 'static)) -> bool + Send + Sync + 'static) -> Self {
        self.options.on_error = Some(Arc::new(predicate));
        self
    }
}

/// Settings: when it is retried.
impl RequestRetry {
    /// Sets a function that reads the delay the server asks for from other headers than `Retry-After`, such as
    /// `x-ratelimit-reset`. `None` leaves the delay of `Retry-After`. [`Policy::retry_after`] limits the delay.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use retry_runtime::{Policy, http::RequestRetry};
    /// let retry = RequestRetry::new(Policy::new()).server_delay(|response| {
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
    pub fn server_delay(mut self, delay: impl Fn(&Response) -> Option<Duration> + Send + Sync + 'static) -> Self {
        self.options.server_delay = Some(Arc::new(delay));
        self
    }

    /// Sets a function that computes the delay after each failed attempt, instead of the policy's backoff. The policy's cap and
    /// jitter apply to it, and a delay that the server asks for is its lower bound.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use retry_runtime::{Policy, http::RequestRetry};
    /// # fn f(step: Duration) -> RequestRetry {
    /// RequestRetry::new(Policy::fixed(step).attempts(5)).backoff(move |attempt| step * attempt.number())
    /// # }
    /// ```
    pub fn backoff(mut self, backoff: impl Fn(&Attempt) -> Duration + Send + Sync + 'static) -> Self {
        self.options.backoff = Some(Arc::new(backoff));
        self.needing_executor()
    }

    /// Sets a function that chooses the policy of each call by its first request, instead of the policy that was given to
    /// [`new`](Self::new). It returns a `Policy`, an `Arc<Policy>`, or an `Option` of one: `None` is the policy of `new`.
    ///
    /// A call takes its policy when it starts, and keeps it. With the feature `serde`, a policy that
    /// [`policies!`](crate::policies) declares follows the file that was loaded last:
    ///
    /// ```
    /// # #[cfg(feature = "serde")] {
    /// # use retry_runtime::{Policy, http::RequestRetry};
    /// retry_runtime::policies! {
    ///     static POLICIES {
    ///         billing: Policy::new().attempts(5),
    ///         search as "search.example": Policy::new().attempts(2),
    ///     }
    /// }
    ///
    /// let one = RequestRetry::new(Policy::new()).policy_for(|_| POLICIES.billing.get());
    /// let by_host = RequestRetry::new(Policy::new())
    ///     .policy_for(|request| POLICIES.get(request.url().host_str()?));
    /// # let _ = (one, by_host);
    /// # }
    /// ```
    pub fn policy_for<P: ChosenPolicy>(mut self, choose: impl Fn(&Request) -> P + Send + Sync + 'static) -> Self {
        self.options.policy_for = Some(Arc::new(move |request| choose(request).chosen()));
        self.needing_executor()
    }
}

/// Settings: limits that requests share.
impl RequestRetry {
    /// Pays for the retries from this budget, instead of the policy's: a reference to a `static`, or an `Arc<Budget>`.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use retry_runtime::{Breaker, Budget, Policy, http::RequestRetry};
    /// static BUDGET: Budget = Budget::new();
    ///
    /// fn settings(breaker: Arc<Breaker>) -> RequestRetry {
    ///     RequestRetry::new(Policy::new()).budget(&BUDGET).breaker(breaker)
    /// }
    /// ```
    pub fn budget(mut self, budget: impl Into<Shared<'static, Budget>>) -> Self {
        self.options.budget = Some(budget.into());
        self.needing_executor()
    }

    /// Lets this breaker admit each attempt: a reference to a `static`, or an `Arc<Breaker>`. The attempt that it
    /// rejects is not sent, and fails with an error of the client with [`BreakerOpen`](crate::breaker::BreakerOpen) in its `source()`
    /// chain. [`Breaker`] documents whether it is retried.
    ///
    /// The breaker counts a failure by its class, even if the condition does not retry it. An attempt that a time limit cuts off
    /// counts as a failure too, and one that is dropped with its call does not count.
    pub fn breaker(mut self, breaker: impl Into<Shared<'static, Breaker>>) -> Self {
        self.options.breaker = Some(breaker.into());
        self.needing_executor()
    }

    /// Gives each host its own budget and breaker, which take precedence over [`budget`](Self::budget) and
    /// [`breaker`](Self::breaker). See [`PerHost`].
    ///
    /// # Panics
    ///
    /// Panics if `hosts` has neither a budget nor a breaker.
    #[track_caller]
    pub fn per_host(mut self, hosts: PerHost) -> Self {
        assert!(
            hosts.has_effect(),
            "`PerHost` has no effect: give it `.budget(Budget::new)` or `.breaker(Breaker::new)`"
        );
        self.options.per_host = Some(hosts);
        self.needing_executor()
    }
}

/// Settings: hooks.
impl RequestRetry {
    /// Sets a hook that changes the request of each attempt before it is sent, including the first. Each attempt starts
    /// from the original request, so changes do not add up.
    ///
    /// ```
    /// # use retry_runtime::{Policy, http::RequestRetry};
    /// let retry = RequestRetry::new(Policy::new()).before_attempt(|outgoing| {
    ///     let number = outgoing.attempt().number().into();
    ///     outgoing.request_mut().headers_mut().insert("x-attempt", number);
    /// });
    /// ```
    pub fn before_attempt(mut self, hook: impl Fn(&mut Outgoing<'_>) + Send + Sync + 'static) -> Self {
        self.options.before_attempt.set(hook);
        self.needing_executor()
    }

    /// Sets a hook that may await before each attempt, to get a fresh token for example. It is called after the hook of
    /// [`before_attempt`](Self::before_attempt), and before a breaker is asked.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use retry_runtime::{Policy, http::RequestRetry};
    /// use reqwest::header::{AUTHORIZATION, HeaderValue};
    ///
    /// # struct Tokens;
    /// # impl Tokens { async fn fresh(&self) -> Result<String, std::io::Error> { Ok(String::new()) } }
    /// fn with_fresh_tokens(tokens: Arc<Tokens>) -> RequestRetry {
    ///     RequestRetry::new(Policy::new()).before_attempt_async(move |outgoing| {
    ///         let tokens = tokens.clone();
    ///         Box::pin(async move {
    ///             let token = HeaderValue::try_from(tokens.fresh().await?)?;
    ///             outgoing.request_mut().headers_mut().insert(AUTHORIZATION, token);
    ///             Ok(())
    ///         })
    ///     })
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// If the hook fails, nothing is sent. The attempt fails with an error of the client that has the hook's error in its
    /// `source()` chain. That ends the call, unless the hook's error is classified as transient, as a refused connection and
    /// an error that is marked with [`transient`](crate::transient) are.
    ///
    /// # Time and cancel safety
    ///
    /// The hook is part of the attempt: the attempt timeout and the deadline include its time and drop its future when they
    /// are reached, and calls inside it see the deadline. Dropping the call drops it too.
    pub fn before_attempt_async(
        mut self,
        hook: impl for<'a> Fn(&'a mut Outgoing<'_>) -> HookFuture<'a> + Send + Sync + 'static,
    ) -> Self {
        self.options.before_attempt.set_async(hook);
        self.needing_executor()
    }

    /// Sets a hook that is called before each wait. It receives the error, or the response if one is retried, with the attempt and
    /// the delay. Its `Display` is one line, which includes the `source()` chain of the error:
    ///
    /// ```
    /// # use retry_runtime::{Policy, http::RequestRetry};
    /// let retry = RequestRetry::new(Policy::new()).on_retry(|retrying| eprintln!("{retrying}"));
    /// ```
    ///
    /// The hook may end the call ([`Retrying`] has the details). It returns
    ///
    /// - nothing, or `ControlFlow::Continue(())`, to retry;
    /// - `ControlFlow::Break(())`, to end the call, which returns the response or the error;
    /// - `Result<(), Box<dyn Error + Send + Sync>>`, whose error ends the call. The call returns an error of the client that has
    ///   this one in its `source()` chain.
    pub fn on_retry<R>(mut self, hook: impl Fn(&Retrying<'_, Response, dyn Error>) -> R + Send + Sync + 'static) -> Self
    where
        R: HookResult<Result<Response, Box<dyn Error + Send + Sync>>>,
    {
        let error_of = |outcome: Option<Result<Response, Boxed>>| outcome.and_then(Result::err);
        self.options.on_retry = Some(Arc::new(move |retrying| match hook(retrying).into_flow() {
            ControlFlow::Continue(()) => ControlFlow::Continue(()),
            ControlFlow::Break(outcome) => ControlFlow::Break(error_of(outcome)),
        }));
        self.needing_executor()
    }

    /// Sets an observer that receives the events, in addition to `tracing`.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.options.observer = Some(Arc::new(observer));
        self.needing_executor()
    }

    fn needing_executor(mut self) -> Self {
        self.options.needs_executor = true;
        self
    }
}
