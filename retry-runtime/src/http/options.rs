//! The settings of requests beside their policy, as the loop uses them.

use core::fmt;
use core::ops::ControlFlow;
use core::time::Duration;
use std::error::Error;
use std::sync::Arc;

use http::{HeaderMap, Method};
use reqwest::{Request, Response, Url};

use super::outgoing::BeforeAttempt;
use super::per_host::{Host, PerHost};
use super::redirects;
use super::sent::Sent;
use crate::classify::class::Class;
use crate::classify::condition::Condition;
use crate::classify::failure::Failure;
use crate::classify::retryable::Retryable;
use crate::classify::verdict::{Classification, Verdict};
use crate::engine::call::History;
use crate::engine::manual_call::ManualCall;
use crate::engine::retrying::Retrying;
use crate::load::breaker::Breaker;
use crate::observe::event::Observer;
use crate::observe::sink;
use crate::observe::stats::named::{NO_OWN_STATS, of_loop};
use crate::policy::attempt::Attempt;
use crate::policy::budget::Budget;
use crate::policy::builder::Policy;
use crate::propagation::Propagation;
use crate::util::shared::Shared;

pub(super) type Boxed = Box<dyn Error + Send + Sync>;

/// The functions of the user.
pub(super) type Predicate = dyn Fn(&Response) -> bool + Send + Sync;
pub(super) type ErrorPredicate = dyn Fn(&(dyn Error + 'static)) -> bool + Send + Sync;
pub(super) type ServerDelay = dyn Fn(&Response) -> Option<Duration> + Send + Sync;
pub(super) type ComputedDelay = dyn Fn(&Attempt) -> Duration + Send + Sync;
pub(super) type RetryHook = dyn Fn(&Retrying<'_, Response, dyn Error>) -> ControlFlow<Ending> + Send + Sync;
pub(super) type PolicyChoice = dyn Fn(&Request) -> Option<Policy> + Send + Sync;

/// Why `on_retry` ends a call: with what failed, or with this error instead.
pub(super) type Ending = Option<Boxed>;

/// The settings of a [`RequestRetry`](super::RequestRetry) beside its policy.
#[derive(Clone)]
pub struct Options {
    pub(super) condition: Condition,
    pub(super) name: &'static str,
    pub(super) own_name: Option<Arc<str>>,
    pub(super) methods: Option<Arc<[Method]>>,
    pub(super) idempotent: bool,
    pub(super) on_ok: Option<Arc<Predicate>>,
    pub(super) on_error: Option<Arc<ErrorPredicate>>,
    pub(super) server_delay: Option<Arc<ServerDelay>>,
    pub(super) backoff: Option<Arc<ComputedDelay>>,
    pub(super) on_retry: Option<Arc<RetryHook>>,
    pub(super) before_attempt: BeforeAttempt,
    pub(super) policy_for: Option<Arc<PolicyChoice>>,
    pub(super) budget: Option<Shared<'static, Budget>>,
    pub(super) breaker: Option<Shared<'static, Breaker>>,
    pub(super) per_host: Option<PerHost>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) propagation: Option<Propagation>,
    /// True if one of the settings needs an executor before the first failure: all of those above except the first eight.
    pub(super) needs_executor: bool,
}

impl Options {
    pub(super) const fn new() -> Self {
        Self {
            condition: Condition::new(),
            name: "request",
            own_name: None,
            methods: None,
            idempotent: false,
            on_ok: None,
            on_error: None,
            server_delay: None,
            backoff: None,
            on_retry: None,
            before_attempt: BeforeAttempt::nothing(),
            policy_for: None,
            budget: None,
            breaker: None,
            per_host: None,
            observer: None,
            propagation: None,
            needs_executor: false,
        }
    }

    /// Returns whether there is nothing to do before the first failure, so that the first attempt needs no executor.
    #[inline]
    pub(super) fn is_plain(&self, policy: &Policy) -> bool {
        let is_limited = policy.limits_attempts() || policy.budget.is_some();
        !is_limited && !policy.backoff.is_custom() && !self.needs_executor && !sink::is_enabled()
    }

    /// The call whose first request is `first`, which is missing if it could not be built.
    #[inline]
    pub(super) fn call<'a>(&'a self, policy: &'a Policy, first: Option<&Request>) -> ManualCall<'a> {
        let chosen = first.zip(self.policy_for.as_ref()).and_then(|(request, policy_for)| policy_for(request));
        // A history reads the clock, so there is one only if the policy or a hook looks at it.
        let looks_back = chosen.as_ref().unwrap_or(policy).needs_history() || self.needs_history();
        let mut call = ManualCall::new(policy, Some(self.name()), looks_back.then(History::new));
        call.set_observer(self.observer.as_deref());
        call.send_requests();
        if let Some(chosen) = chosen {
            call.set_policy(chosen);
        }
        if let Some(budget) = &self.budget {
            call.set_budget(Shared::from(&**budget));
        }
        call
    }

    fn name(&self) -> &str {
        self.own_name.as_deref().unwrap_or(self.name)
    }

    #[inline]
    fn needs_history(&self) -> bool {
        self.looks_at_attempts() || self.has_retry_hooks()
    }

    /// Counts the success of a first attempt without an executor.
    #[inline(always)]
    pub(super) fn succeeded_at_once(&self) {
        of_loop(NO_OWN_STATS, self.name()).at_once();
    }

    /// Returns whether a hook receives each attempt, or the next service does.
    #[inline]
    pub(super) fn looks_at_attempts(&self) -> bool {
        self.needs_executor && (self.before_attempt.is_set() || self.propagation.is_some())
    }

    /// The budget and the breaker of the host that the request is sent to.
    pub(super) fn host(&self, request: &Request) -> Option<Arc<Host>> {
        self.per_host.as_ref().map(|hosts| hosts.host(request.url()))
    }

    /// Returns whether both URLs are known, and are those of different hosts.
    pub(super) fn are_other_hosts(&self, one: Option<&Url>, other: Option<&Url>) -> bool {
        let hosts = self.per_host.as_ref().zip(one).zip(other);
        hosts.is_some_and(|((hosts, one), other)| !hosts.is_same(one, other))
    }

    /// The breaker that admits an attempt at this host: the host's own, or else that of all requests.
    pub(super) fn breaker(&self, host: Option<&Host>) -> Option<Shared<'static, Breaker>> {
        let own = host.and_then(|host| host.breaker.clone()).map(Shared::from);
        own.or_else(|| self.breaker.clone())
    }

    /// Returns whether the user computes delays or receives the retries.
    #[inline]
    pub(super) fn has_retry_hooks(&self) -> bool {
        self.needs_executor && (self.backoff.is_some() || self.on_retry.is_some())
    }

    #[inline]
    pub(super) fn has_breaker(&self) -> bool {
        self.needs_executor && (self.breaker.is_some() || self.per_host.as_ref().is_some_and(PerHost::has_breaker))
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
        self.idempotent
            || match &self.methods {
                Some(methods) => methods.iter().any(|listed| listed.as_str().eq_ignore_ascii_case(method.as_str())),
                None => self.condition.lists_method(method.as_str()),
            }
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
                let decided = self.on_error.as_ref().map(|predicate| predicate(of_client(error)));
                // The breaker of one host does not delay, and does not end, the attempts at other hosts.
                let failure = match sent.leaves_breaker() {
                    true => Failure::new(Class::Transient).before_processing(),
                    false => Failure::of(error),
                };
                Classification::new(None, Some(failure)).on_error(decided)
            }
        };
        let classification =
            if sent.is_direct(classification.status()) { classification.not_redirected() } else { classification };
        self.condition.guarded(sent.is_guarded()).verdict(classification)
    }

    #[inline]
    fn refuses(&self, response: &Response) -> bool {
        self.on_ok.as_ref().is_some_and(|predicate| predicate(response))
    }

    /// The failure that a response describes, with the server's delay that the user's function reads, for a breaker.
    pub(super) fn classified(&self, response: &Response) -> Classification {
        Classification::new(Some(self.failure(response)), None)
    }

    fn failure(&self, response: &Response) -> Failure {
        let failure = Failure::of(response);
        let failure = match &self.propagation {
            Some(propagation) => propagation.advised(failure, response.status().as_u16(), response.headers()),
            None => failure,
        };
        match self.server_delay.as_ref().and_then(|delay| delay(response)) {
            Some(delay) => failure.with_server_delay(delay),
            None => failure,
        }
    }
}

/// The client's error, out of the error of reqwest-middleware, which does not have it in its `source()` chain.
pub(super) fn of_client<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    #[cfg(feature = "reqwest-middleware")]
    match error.downcast_ref() {
        Some(reqwest_middleware::Error::Reqwest(error)) => return error,
        Some(reqwest_middleware::Error::Middleware(error)) => return &**error,
        None => {}
    }
    error
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("condition", &self.condition)
            .field("name", &self.name())
            .field("idempotent", &self.idempotent)
            .finish_non_exhaustive()
    }
}
