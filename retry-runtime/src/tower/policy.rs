//! The retry policy for tower's services.

use crate::util::sync::lock;
use core::fmt::{self, Display};
use std::sync::{Arc, Mutex, PoisonError};

use super::call::{InFlight, Owned, TowerPause, starts};
use super::kind::{AnyRequest, CloneRequest, CloneWith, Cloned, HttpRequests, Kind};
use crate::classify::condition::Condition;
use crate::classify::failure::Failure;
use crate::classify::retryable::Retryable;
use crate::classify::verdict::Classification;
use crate::engine::call::History;
use crate::engine::executor::Executor;
#[cfg(feature = "reqwest")]
use crate::http::redirects::Seen;
use crate::observe::event::Observer;
use crate::policy::builder::Policy;
use crate::propagation::Propagation;

/// A retry policy for tower's services. See the [module](super).
///
/// `K` decides how requests and responses are classified: [`AnyRequest`] or [`HttpRequests`]. `C` decides how a request is
/// cloned: [`Cloned`] or [`CloneWith`].
///
/// Calls share only the policy. Each call has its own attempts, and its deadline counts from its own start.
///
/// Errors must implement [`Retryable`] and `Display`. tower's `BoxError` does: its `source()` chain is searched.
pub struct TowerPolicy<K = AnyRequest, C = Cloned> {
    policy: Policy,
    condition: Condition,
    name: &'static str,
    observer: Option<Arc<dyn Observer>>,
    kind: K,
    cloning: C,
    call: Mutex<Option<InFlight>>,
}

/// A clone takes the call that has begun. tower begins a call with the service's own policy, and then clones that policy
/// for the future of the call. The clone thus keeps the call, and the service's policy is ready for the next one.
impl<K: Clone, C: Clone> Clone for TowerPolicy<K, C> {
    fn clone(&self) -> Self {
        Self {
            policy: self.policy,
            condition: self.condition,
            name: self.name,
            observer: self.observer.clone(),
            kind: self.kind.clone(),
            cloning: self.cloning.clone(),
            call: Mutex::new(lock(&self.call).take()),
        }
    }
}

impl TowerPolicy {
    /// Creates a policy for requests of any type that is `Clone`. Each request must be safe to send twice.
    ///
    /// A response is classified only if it is a `reqwest::Response` or hyper's. Any other `Ok` value is a success. For
    /// services that take an `http::Request` and return an `http::Response`, see [`http`](TowerPolicy::http).
    ///
    /// # Panics
    ///
    /// If the policy has an `attempt_timeout`, which a tower policy cannot enforce.
    #[must_use]
    #[track_caller]
    pub const fn new(policy: Policy) -> Self {
        Self::of(policy, AnyRequest)
    }
}

impl TowerPolicy<HttpRequests> {
    /// Creates a policy for services that take an `http::Request` and return an `http::Response`, whatever their bodies.
    /// With the feature `reqwest` and `.cloning(Request::try_clone)`, also for services that take a `reqwest::Request` and
    /// return a `reqwest::Response`.
    ///
    /// A request whose method is not one of the condition's [`methods`](Condition::methods), such as a POST, is retried only if
    /// the server cannot have processed it ([`Failure::is_unprocessed`]), unless it has the header `Idempotency-Key`.
    ///
    /// With a reqwest client, the retry of a POST needs `track_redirects` on the client and this policy as a layer, or
    /// [`Condition::assume_no_redirects`]. Any other service is assumed not to follow redirects: put tower-http's
    /// `FollowRedirectLayer` above the retry layer, not below it.
    ///
    /// # Panics
    ///
    /// If the policy has an `attempt_timeout`, which a tower policy cannot enforce.
    #[must_use]
    #[track_caller]
    pub const fn http(policy: Policy) -> Self {
        Self::of(policy, HttpRequests { are_idempotent: false, propagation: None })
    }

    /// Declares that every request is safe to send twice, whatever its method.
    #[must_use]
    pub fn idempotent(self) -> Self {
        Self { kind: HttpRequests { are_idempotent: true, ..self.kind }, ..self }
    }
}

impl<C> TowerPolicy<HttpRequests, C> {
    /// Reads the response header of this propagation.
    pub(super) fn reading(self, propagation: Propagation) -> Self {
        Self { kind: HttpRequests { propagation: Some(propagation), ..self.kind }, ..self }
    }
}

impl<K> TowerPolicy<K> {
    #[track_caller]
    const fn of(policy: Policy, kind: K) -> Self {
        assert!(
            policy.attempt_timeout.is_none(),
            "a tower policy cannot cut off an attempt: instead of `attempt_timeout`, put a `tower::timeout::TimeoutLayer` below the retry layer"
        );
        let condition = Condition::new();
        Self { policy, condition, name: "retry", observer: None, kind, cloning: Cloned, call: Mutex::new(None) }
    }

    /// Sets a function that clones requests, instead of `Clone`. A request for which it returns `None` is sent once and not
    /// retried.
    ///
    /// ```
    /// # use retry_runtime::{Policy, tower::TowerPolicy};
    /// struct Job { id: u64, is_urgent: bool }
    ///
    /// let urgent = |job: &Job| job.is_urgent.then(|| Job { ..*job });
    /// let policy = TowerPolicy::new(Policy::new()).cloning(urgent);
    /// ```
    #[must_use]
    pub fn cloning<F>(self, clone: F) -> TowerPolicy<K, CloneWith<F>> {
        let Self { policy, condition, name, observer, kind, cloning: Cloned, call } = self;
        TowerPolicy { policy, condition, name, observer, kind, cloning: CloneWith(clone), call }
    }
}

impl<K, C> TowerPolicy<K, C> {
    /// Sets which outcomes are retried. Defaults to [`Condition::new`].
    #[must_use]
    pub fn condition(self, condition: Condition) -> Self {
        Self { condition, ..self }
    }

    /// Sets the name in events. Defaults to `retry`.
    #[must_use]
    pub fn name(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Sets an observer that receives the events, in addition to `tracing`.
    #[must_use]
    pub fn observer(self, observer: impl Observer + 'static) -> Self {
        Self { observer: Some(Arc::new(observer)), ..self }
    }

    fn start(&self, condition: Condition, sends_requests: bool) -> InFlight {
        let Self { policy, name, ref observer, .. } = *self;
        let call = Owned {
            policy,
            name,
            observer: observer.clone(),
            history: History::new(),
            sends_requests,
            #[cfg(feature = "reqwest")]
            seen: Seen::NONE,
        };
        InFlight { executor: Arc::new(Mutex::new(Executor::start(call))), condition, is_waiting: false }
    }
}

impl<Req, Res, E, K, C> ::tower::retry::Policy<Req, Res, E> for TowerPolicy<K, C>
where
    K: Kind<Req, Res>,
    C: CloneRequest<Req>,
    E: Retryable + Display,
{
    type Future = TowerPause;

    /// Starts an attempt: tower asks for a clone of the request before it calls the service.
    fn clone_request(&mut self, request: &Req) -> Option<Req> {
        let before = get(&mut self.call).take().filter(|call| call.is_waiting);
        starts(None);
        let Some(clone) = self.cloning.clone_request(request) else {
            before.inspect(InFlight::abandon);
            return None;
        };
        let call = before.unwrap_or_else(|| {
            self.start(self.kind.condition(self.condition, request), self.kind.method(request).is_some())
        });
        call.begin();
        starts(Some(&call.executor));
        *get(&mut self.call) = Some(InFlight { is_waiting: false, ..call });
        Some(clone)
    }

    /// Ends an attempt: tower asks about its outcome. Returns the pause before a retry, or `None` to return the outcome.
    fn retry(&mut self, request: &mut Req, outcome: &mut Result<Res, E>) -> Option<TowerPause> {
        let call = get(&mut self.call).take()?;
        let value = outcome.as_ref().ok().and_then(|value| self.kind.value(value));
        let classification = Classification::new(value, outcome.as_ref().err().map(Failure::of));
        #[cfg(feature = "reqwest")]
        let classification =
            if self.kind.method(request).is_some_and(|method| call.sent_only(method, classification.status())) {
                classification.not_redirected()
            } else {
                classification
            };
        #[cfg(not(feature = "reqwest"))]
        let _ = request;
        let verdict = call.condition.verdict(classification);
        let pause = call.settle(verdict, outcome.as_ref().err().map(|error| error as &dyn Display))?;
        *get(&mut self.call) = Some(InFlight { is_waiting: true, ..call });
        Some(pause)
    }
}

/// The content of a mutex that nothing else can hold. Calls change it only as a whole, so a poisoned mutex is still usable.
fn get<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}

impl<K: fmt::Debug, C> fmt::Debug for TowerPolicy<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, condition, name, kind, observer: _, cloning: _, call: _ } = self;
        f.debug_struct("TowerPolicy")
            .field("policy", policy)
            .field("condition", condition)
            .field("name", name)
            .field("kind", kind)
            .finish_non_exhaustive()
    }
}
