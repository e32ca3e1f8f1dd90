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

mod call;
mod in_attempt;
mod kind;
mod policy;

pub use self::call::TowerPause;
pub use self::in_attempt::{AttemptFuture, InAttempt};
pub use self::kind::{AnyRequest, CloneRequest, CloneWith, Cloned, HttpRequests, Kind};
pub use self::policy::TowerPolicy;
