//! A retry policy for tower's services.
//!
//! [`TowerPolicy`] is a layer for [`ServiceBuilder::layer`](::tower::ServiceBuilder::layer): it retries the service below it, and
//! runs each attempt in its span. It uses the same engine as an annotated function, and emits the same events.
//!
//! It is also a [`tower::retry::Policy`], for `ServiceBuilder::retry` and `RetryLayer::new`. The
//! service does not run in the spans of its attempts then: see [below](#layer-or-retry).
//!
//! ```
//! use std::time::Duration;
//!
//! use retry_runtime::Policy;
//! use retry_runtime::tower::TowerPolicy;
//! use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
//!
//! const POLICY: Policy = Policy::exponential(Duration::from_millis(1)).attempts(3);
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let jobs = service_fn(async |job: String| if job.is_empty() { Err("no job".to_owned()) } else { Ok(job.len()) });
//! # let jobs = jobs.map_err(std::io::Error::other);
//! let mut jobs = ServiceBuilder::new().layer(TowerPolicy::new(POLICY).name("jobs")).service(jobs);
//! assert_eq!(jobs.ready().await.unwrap().call("four".to_owned()).await.unwrap(), 4);
//! # });
//! ```
//!
//! # What is different from an annotated function
//!
//! - Nothing cuts off an attempt. A `deadline` only ends the retrying, and a policy with an `attempt_timeout` is a panic, in
//!   constant evaluation where the policy is a `const`. Put tower's `TimeoutLayer` below the retry layer: its error is known to
//!   be transient.
//! - A response that is tried again is dropped before the pause, not read to its end.
//! - A request that cannot be cloned is sent once, and without events: tower does not ask the policy about its outcome. One that
//!   cannot be cloned again for a later attempt ends the call with `BodyUsedUp` when that attempt starts, for the same reason.
//! - tower asks the service whether it is ready before each attempt. Where that gives an error, tower ends the call with it,
//!   and asks the policy nothing; the last event is `Cancelled`.
//!
//! # `layer` or `retry`
//!
//! tower asks a policy before and after an attempt, not while the service runs. So what happens meanwhile needs a service below
//! the retry layer, which `layer` adds: [`InAttempt`].
//!
//! | | `.layer(policy)` | `.retry(policy)` |
//! |---|---|---|
//! | events, and the spans of the call and its attempts | yes | yes |
//! | the service runs in the span of the attempt | yes | no |
//! | calls inside see the deadline, and `nested` | yes | no |
//! | events of connections, with `trace_connections` | yes | no |
//! | a POST is retried with `track_redirects` | yes | no |
//!
//! Where something does not fit, rustc says no more than that the layered service is no `Service`. The request has to be
//! `Clone` (or say [`cloning`](TowerPolicy::cloning)), the service too, and its error [`Retryable`] with a `Display`.

use core::any::Any;
use core::fmt::{self, Display};
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::tower::timeout::error::Elapsed;

use crate::classify::class::{Class, Failure, Retryable};
use crate::classify::condition::Classification;
use crate::classify::condition::{Condition, Verdict};
use crate::engine::call::{Call, History};
use crate::engine::decide;
use crate::engine::executor::Executor;
#[cfg(feature = "reqwest")]
use crate::http::redirects::Seen;
use crate::observe::event::{GiveUp, Observer};
use crate::observe::reason::FallbackReason;
use crate::policy::builder::Policy;
use crate::util::sealed::Sealed;

mod in_attempt;

pub use self::in_attempt::{AttemptFuture, InAttempt};

/// A retry policy for tower's services. See the [module](self).
///
/// `K` says what is known of requests and answers: [`AnyRequest`] or [`HttpRequests`]. `C` says how a request is cloned:
/// [`Cloned`] or [`CloneWith`].
///
/// Calls share the policy, and nothing else: each has its own attempts, and its deadline counts from when it was made.
///
/// Errors have to be [`Retryable`] and have a `Display`. tower's `BoxError` is: its chain of sources is searched.
pub struct TowerPolicy<K = AnyRequest, C = Cloned> {
    policy: Policy,
    condition: Condition,
    name: &'static str,
    observer: Option<Arc<dyn Observer>>,
    kind: K,
    cloning: C,
    /// The call that is under way.
    call: Mutex<Option<InFlight>>,
}

/// Where calls are told apart: tower begins a call with the service's own policy, and then clones that for the future of
/// the call. So a clone takes the call that has begun with it.
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
    /// For requests of any type that is `Clone`, each of them safe to send twice.
    ///
    /// Of an answer nothing is known but where it is a `reqwest::Response` or hyper's; for services that take an
    /// `http::Request` and give an `http::Response`, see [`http`](TowerPolicy::http).
    ///
    /// # Panics
    ///
    /// When the policy has an `attempt_timeout`, which a tower policy cannot keep.
    #[must_use]
    #[track_caller]
    pub const fn new(policy: Policy) -> Self {
        Self::of(policy, AnyRequest)
    }
}

impl TowerPolicy<HttpRequests> {
    /// For services that take an `http::Request` and give an `http::Response`, whatever their bodies; or a
    /// `reqwest::Request` and a `reqwest::Response`, with the `reqwest` feature and `.cloning(Request::try_clone)`.
    ///
    /// A request whose method is not one of the condition's [`methods`](Condition::methods), such as a POST, is tried again
    /// only where the server cannot have processed it ([`Failure::is_unprocessed`]), unless it has the header
    /// `Idempotency-Key`.
    ///
    /// For a client of reqwest, that needs `track_redirects` on the client, and this policy as a layer; or
    /// [`Condition::assume_no_redirects`]. Any other service is taken for one that follows no redirects: put tower-http's
    /// `FollowRedirectLayer` above the retry layer, not below it.
    ///
    /// # Panics
    ///
    /// When the policy has an `attempt_timeout`, which a tower policy cannot keep.
    #[must_use]
    #[track_caller]
    pub const fn http(policy: Policy) -> Self {
        Self::of(policy, HttpRequests { are_idempotent: false })
    }

    /// Says that every request is safe to send twice, whatever its method.
    #[must_use]
    pub fn idempotent(self) -> Self {
        Self { kind: HttpRequests { are_idempotent: true }, ..self }
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

    /// How a request is cloned, instead of by `Clone`. What gives `None` is sent once and not tried again.
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
    /// Which outcomes are worth another attempt, instead of [`Condition::new`].
    #[must_use]
    pub fn condition(self, condition: Condition) -> Self {
        Self { condition, ..self }
    }

    /// The name in events; `retry` if not said.
    #[must_use]
    pub fn name(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Sends the events to this observer, beside `tracing`.
    #[must_use]
    pub fn observer(self, observer: impl Observer + 'static) -> Self {
        Self { observer: Some(Arc::new(observer)), ..self }
    }

    fn start(&self, condition: Condition) -> InFlight {
        let Self { policy, name, ref observer, .. } = *self;
        let call = Owned {
            policy,
            name,
            observer: observer.clone(),
            history: History::new(),
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

    /// An attempt starts.
    fn clone_request(&mut self, request: &Req) -> Option<Req> {
        let before = get(&mut self.call).take().filter(|call| call.is_waiting);
        in_attempt::starts(None);
        let Some(clone) = self.cloning.clone_request(request) else {
            before.inspect(InFlight::abandon);
            return None;
        };
        let call = before.unwrap_or_else(|| self.start(self.kind.condition(self.condition, request)));
        call.begin();
        in_attempt::starts(Some(&call.executor));
        *get(&mut self.call) = Some(InFlight { is_waiting: false, ..call });
        Some(clone)
    }

    /// An attempt has its outcome.
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

type Shared = Mutex<Executor<Owned>>;

/// A call that is under way. Dropped in an attempt or a pause, it says so.
struct InFlight {
    executor: Arc<Shared>,
    condition: Condition,
    is_waiting: bool,
}

impl InFlight {
    /// An attempt starts.
    fn begin(&self) {
        let mut executor = lock(&self.executor);
        #[cfg(feature = "reqwest")]
        {
            executor.core.call.seen = Seen::NONE;
        }
        executor.begin();
    }

    /// Returns whether the attempt put one request on the wire, with this method and this status, and so was not redirected.
    #[cfg(feature = "reqwest")]
    fn sent_only(&self, method: &str, status: Option<u16>) -> bool {
        lock(&self.executor).core.call.seen.is_only(method, status)
    }

    fn settle(&self, verdict: Verdict, reason: Option<&dyn Display>) -> Option<TowerPause> {
        let mut executor = lock(&self.executor);
        if verdict == Verdict::Done {
            executor.succeeded();
            return None;
        }
        let delay = executor.settle(verdict, reason.unwrap_or(&FallbackReason::of(verdict)))?;
        Some(TowerPause { executor: self.executor.clone(), delay, is_armed: false })
    }

    /// tower sends the last clone of the request, and does not ask the policy about its outcome.
    fn abandon(&self) {
        self.begin();
        let Executor { core, .. } = &mut *lock(&self.executor);
        decide::abandoned(&mut core.state, &core.call, GiveUp::BodyUsedUp);
    }
}

/// The wait before the next attempt of a tower service.
///
/// The wait begins when it is first polled. A delay of zero takes no timer, but lets other tasks run once.
///
/// # Panics
///
/// When it is polled outside of a tokio runtime whose time is enabled.
///
/// # Cancel safety
///
/// Dropping it ends the wait.
#[must_use = "a pause does nothing unless it is awaited"]
pub struct TowerPause {
    executor: Arc<Shared>,
    delay: Duration,
    is_armed: bool,
}

impl TowerPause {
    /// How long the wait is.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.delay
    }
}

impl Future for TowerPause {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { executor, delay, is_armed } = self.get_mut();
        let Executor { core, sleep } = &mut *lock(executor);
        decide::poll_pause(&mut core.state, sleep, Pin::new(&mut ()), is_armed, *delay, cx)
    }
}

/// A call of a tower service.
struct Owned {
    policy: Policy,
    name: &'static str,
    observer: Option<Arc<dyn Observer>>,
    history: History,
    /// The requests of the attempt.
    #[cfg(feature = "reqwest")]
    seen: Seen,
}

impl Sealed for Owned {}

impl Call for Owned {
    fn policy(&self) -> &Policy {
        &self.policy
    }
    fn name(&self) -> &str {
        self.name
    }
    fn observer(&self) -> Option<&dyn Observer> {
        self.observer.as_deref()
    }
    fn history(&self) -> Option<&History> {
        Some(&self.history)
    }
    fn history_mut(&mut self) -> Option<&mut History> {
        Some(&mut self.history)
    }
}

/// What is known of the requests and answers of a service. Implemented by [`AnyRequest`] and [`HttpRequests`] alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not fit a service from `{Req}` to `{Res}`",
    label = "no retry policy for this service",
    note = "`TowerPolicy::http` is for services from `http::Request` to `http::Response`; `TowerPolicy::new` is for all others, where an answer may not borrow"
)]
pub trait Kind<Req, Res>: Sealed {
    /// The condition for one request.
    #[doc(hidden)]
    fn condition(&self, condition: Condition, request: &Req) -> Condition;

    #[doc(hidden)]
    fn value(&self, value: &Res) -> Option<Failure>;

    /// The request's method, if it has one.
    #[doc(hidden)]
    fn method<'a>(&self, _: &'a Req) -> Option<&'a str> {
        None
    }
}

/// Requests of any type, each of them safe to send twice. See [`TowerPolicy::new`].
#[derive(Clone, Copy, Debug)]
pub struct AnyRequest;

impl Sealed for AnyRequest {}

impl<Req, Res: 'static> Kind<Req, Res> for AnyRequest {
    fn condition(&self, condition: Condition, _: &Req) -> Condition {
        condition
    }
    fn value(&self, value: &Res) -> Option<Failure> {
        crate::classify::clients::known_answer(value as &dyn Any)
    }
}

/// Requests of HTTP, with a method. See [`TowerPolicy::http`].
#[derive(Clone, Copy, Debug)]
pub struct HttpRequests {
    are_idempotent: bool,
}

impl Sealed for HttpRequests {}

macro_rules! http_requests {
    ($($(#[$attribute:meta])* [$($parameter:ident),*] $request:ty => $response:ty;)*) => {$(
        $(#[$attribute])*
        impl<$($parameter),*> Kind<$request, $response> for HttpRequests {
            fn condition(&self, condition: Condition, request: &$request) -> Condition {
                let is_safe = self.are_idempotent || request.headers().contains_key("idempotency-key");
                if is_safe { condition } else { condition.for_method(request.method().as_str()) }
            }
            fn value(&self, value: &$response) -> Option<Failure> {
                Some(Failure::of(value))
            }
            fn method<'a>(&self, request: &'a $request) -> Option<&'a str> {
                Some(request.method().as_str())
            }
        }
    )*};
}
http_requests! {
    [B, C] http::Request<B> => http::Response<C>;
    #[cfg(feature = "reqwest")]
    [] reqwest::Request => reqwest::Response;
    #[cfg(feature = "reqwest-012")]
    [] reqwest_012::Request => reqwest_012::Response;
}

/// How a request is cloned. Implemented by [`Cloned`] and [`CloneWith`] alone.
#[diagnostic::on_unimplemented(
    message = "a `{Req}` cannot be cloned",
    label = "nothing to send again",
    note = "say how: `.cloning(|request| …)`, which gives an `Option` of the clone"
)]
pub trait CloneRequest<Req>: Sealed {
    #[doc(hidden)]
    fn clone_request(&self, request: &Req) -> Option<Req>;
}

/// By `Clone`.
#[derive(Clone, Copy, Debug)]
pub struct Cloned;

impl Sealed for Cloned {}

#[diagnostic::do_not_recommend]
impl<Req: Clone> CloneRequest<Req> for Cloned {
    fn clone_request(&self, request: &Req) -> Option<Req> {
        Some(request.clone())
    }
}

/// By a function. Given with [`TowerPolicy::cloning`].
#[derive(Clone, Copy)]
pub struct CloneWith<F>(F);

impl<F> Sealed for CloneWith<F> {}

#[diagnostic::do_not_recommend]
impl<Req, F: Fn(&Req) -> Option<Req>> CloneRequest<Req> for CloneWith<F> {
    fn clone_request(&self, request: &Req) -> Option<Req> {
        self.0(request)
    }
}

/// The time limit of tower's `TimeoutLayer` was exceeded.
impl Retryable for Elapsed {
    fn class(&self) -> Class {
        Class::Transient
    }

    fn is_timeout(&self) -> bool {
        true
    }
}

/// Nothing is left half done where an observer panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

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

impl fmt::Debug for TowerPause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerPause").field("delay", &self.delay).finish_non_exhaustive()
    }
}

impl<F> fmt::Debug for CloneWith<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CloneWith")
    }
}
