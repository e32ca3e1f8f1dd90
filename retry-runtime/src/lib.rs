//! Retries for async Rust: an attribute that turns a function into a retry loop, and the engine behind it for hand-written
//! loops.
//!
//! ```
//! # #[cfg(feature = "reqwest")]
//! # mod example {
//! use retry_runtime::retry;
//!
//! #[retry(attempts = 3, backoff = "exponential", start = "1s", on_status = [503])]
//! async fn fetch(client: &reqwest::Client, url: &str) -> reqwest::Result<reqwest::Response> {
//!     client.get(url).send().await
//! }
//! # }
//! ```
//!
//! The function makes up to three attempts, with delays of one and two seconds. It retries status 503 and transient errors,
//! such as a refused connection. It keeps its signature, its return type and its error type, and it returns the last outcome
//! unchanged. An invalid configuration is a compile error that points at the wrong value.
//!
//! | topic | documentation |
//! |---|---|
//! | All arguments | [`retry`](macro@retry) |
//! | A block in the middle of a function | [`retrying!`] |
//! | Backoff, jitter, number of attempts | [`guide::schedule`] |
//! | Single requests, `Retry-After`, middleware | [`http`] |
//! | Calls from service to service: the time left, retries that do not multiply | [`propagation`] |
//! | Budgets, deadlines, breakers: limiting the load that retries cause | [`guide::load`] |
//! | Servers: calls end when the caller stops waiting | [`server`], [`Deadline`] |
//! | Your own errors, `anyhow`, boxed errors | [`guide::errors`] |
//! | Hand-written loops, other runtimes, blocking functions | [`guide::loops`] |
//! | Retries that survive a restart | [`guide::durable`] |
//! | Tests without delays | [`guide::testing`], [`testing`] |
//! | Events, metrics, reports, policies from files | [`guide::operating`] |
//! | The number of attempts of a call | [`track()`] |
//! | Migrating from `backon`, `tokio-retry`, `reqwest-retry`, `aiohttp_retry` | [`guide::migrating`] |
//! | Frequently asked questions, limitations | [`guide::faq`], [`guide::limits`] |
//!
//! # Retried outcomes
//!
//! By default, a function retries outcomes with status 408, 429, 500, 502, 503 or 504, and all errors that are not classified
//! as permanent. [`Condition`] documents the complete rule, and [`Class`] the classification of statuses and I/O errors.
//! How the attribute classifies an error depends on the error's type:
//!
//! 1. An error whose type implements [`Retryable`], such as an I/O error, an error of a supported client, or your own type with
//!    the derive macro: it asks that implementation.
//! 2. A boxed error or an `anyhow::Error`: it searches the error and then its `source()` chain.
//! 3. Any other [`Error`](std::error::Error): it searches only the `source()` chain, because the type of the error itself
//!    is unknown.
//!
//! [`guide::errors`] describes what this search cannot find, and the alternatives.
//!
//! # Overview
//!
//! | concept | in the attribute | in loops, and as types |
//! |---|---|---|
//! | schedule and limits | `attempts`, `backoff`, `jitter`, `deadline` … | [`Policy`], [`Jitter`], [`Schedule`], [`Attempt`] |
//! | conditions | `on_status`, `on_error`, `on_ok` | [`Condition`], [`verdict!`], [`Verdict`] |
//! | classification of a type | [`Retryable`], and the [derive macro](derive@Retryable) | the same; [`Failure`], [`Class`] |
//! | the loop | [`retrying!`] around a block | [`Executor`], [`Policy::run`] |
//! | load protection | `budget`, `nested`, `deadline`, `breaker`, `hedge` | [`Budget`], [`Breaker`], [`Hedge`], [`Policy::nested`] |
//! | observability | `observer`, `name` | [`Observer`], [`Event`], [`EventKind`](event::EventKind), [`GiveUp`](event::GiveUp), [`OwnedEvent`](event::OwnedEvent); for the caller [`track()`] |
//! | statistics | | [`stats::report()`], [`CallStats`](stats::CallStats), the feature `metrics` |
//! | runtime configuration | `policy = POLICIES.billing` | [`policies!`], [`Policies`](config::Policies), [`set_enabled`] |
//!
//! # Cancel safety
//!
//! The future of a call may be dropped at any time. The running attempt is dropped with it, and there is no other state that
//! could be lost. [Stopping a call](guide::load#stopping-a-call) has examples.
//!
//! # Features
//!
//! | feature | default | description |
//! |---|---|---|
//! | `macros` | yes | [`retry`](macro@retry), [`retrying!`] and the derive macro |
//! | `tokio` | yes | tokio's timer and [`Policy::run`]; without it, use `sleep = …` and [`Executor::sleep`]. JavaScript's on [wasm32-unknown-unknown](#platforms) |
//! | `tracing` | yes | for `tracing`, target `retry`: a span for each call and each attempt, and events in them |
//! | `log` | no | the events for `log`, while `tracing` has no subscriber |
//! | `metrics` | no | counters and histograms for the crate `metrics`: [list](guide::operating#metrics) |
//! | `report` | no | statistics of all calls by name: [`stats::report()`] |
//! | `http` | no | classifies the responses of the `http` crate; `Retry-After`; [`propagation`] |
//! | `reqwest` | no | classifies the errors and responses of reqwest 0.13; requests with retry; `CheckStatus` |
//! | `reqwest-middleware` | no | a middleware for reqwest-middleware 0.5 |
//! | `connection-events` | no | events for name lookups, connections and redirects: [`http::connections`] |
//! | `h2` | no | classifies HTTP/2 errors, such as refused streams |
//! | `reqwest-012` | no | classifies the errors and responses of reqwest 0.12; may be enabled together with `reqwest` |
//! | `hyper` | no | classifies the errors of hyper 1 and of hyper-util's client; enables hyper-util's `client-legacy` and `http1` |
//! | `tonic` | no | classifies the `Status` of tonic 0.14, with `RetryInfo` and pushback; enables `http`, and depends on tonic without its transport, and on prost |
//! | `tower` | no | [`TowerPolicy`](tower::TowerPolicy), a retry policy for the services of tower 0.5; enables tower's `retry` and `timeout` |
//! | `server` | no | the [layer for servers](server), which ends calls when the caller stops waiting; depends on `tower-layer` and `tower-service` |
//! | `axum` | no | [`Caller`](server::Caller) as an extractor of axum 0.8; depends on axum-core 0.5 |
//! | `serde` | no | deserializes a [`Policy`] from any format of serde, and [`config::Policies`] from TOML or JSON files that operators edit |
//! | `testing` | no | for dev-dependencies: [`testing`], which skips delays and records events; no further dependency |
//! | `testing-server` | no | for dev-dependencies: a small HTTP [`Server`](testing::Server) on hyper; enables tokio's `net` and `rt`, and hyper's `http1` and `server` |
//!
//! If the feature of a client is off, its types are unknown. `on_status` is then a
//! [compile error](macro@retry#conditions-that-can-never-retry), and without `on_status` each `Ok(response)` is a success,
//! whatever its status.
//!
//! Features are additive: none changes the classifications of another. They enable no feature of `reqwest`, and only `time`
//! of `tokio`. There are two exceptions: `connection-events` also enables tokio's `net`, and `testing-server` also enables
//! tokio's `net` and `rt`.
//!
//! # Platforms
//!
//! The library needs `std`, and otherwise runs wherever tokio does, which includes wasm32-wasip1. On wasm32-unknown-unknown, where
//! neither the standard library nor tokio has a clock, the feature `tokio` stands for JavaScript: `performance.now()`,
//! `setTimeout` and `Math.random()`, in pages, workers and Node. It does not depend on tokio there.
//!
//! | on wasm32-unknown-unknown | |
//! |---|---|
//! | the attribute, [`retrying!`], [`Policy::run`], [`Executor`] | as elsewhere. They need no runtime: spawn them with `wasm_bindgen_futures::spawn_local` |
//! | time limits, budgets, hedges, breakers, events, [`track()`] | as elsewhere |
//! | delays | whole milliseconds, rounded up. Browsers delay the timers of pages in the background, usually to one a second |
//! | `Send` | futures and executors are `!Send`, because the timer is, and so is reqwest. Traits with `#[async_trait]` need `#[async_trait(?Send)]` |
//! | the type of [`Executor::started`] | `web_time::Instant` |
//! | `reqwest`, `reqwest-012` | errors and responses are classified, and there is [`CheckStatus`](http::CheckStatus). `fetch` does not report why a request failed, so a refused connection is a transient error after which the server [may have processed](Failure::is_unprocessed) the request |
//! | `From<TimedOut>`, `From<BreakerOpen>` | do not exist for reqwest's errors, so time limits and breakers need an error type of yours ([example](guide::loops#wasm)) |
//! | the items of [`http`] other than `CheckStatus` and `StatusError` | do not exist: requests with retry, the middleware, redirect tracking. Annotate a function that sends the request |
//! | bodies of responses that are retried | are dropped instead of drained. The host owns the connections |
//! | `tower` | [`TowerPolicy`](tower::TowerPolicy) works, but is `!Send`. The timeouts of the crate `tower` use tokio's clock, which panics |
//! | `tracing`, `log`, `metrics`, `report`, `http`, `h2`, `tonic`, `serde`, `testing` | as elsewhere; reading a file of policies fails, because the host has no files |
//! | `reqwest-middleware` | classifies its errors |
//! | `hyper`, `connection-events`, `testing-server` | do not compile, because they need sockets |
//! | blocking functions | panic when they wait, because the thread cannot sleep |
//!
//! Without the feature `tokio`, the library imports nothing from JavaScript. An annotated function and `retrying!` work there with
//! `sleep = …`, and `attempt_timeout` does too. Everything else that needs a clock panics: hand-written loops, closures, deadlines,
//! breakers, budgets by ratio, events and `track`. Jitter has the same random numbers in each run, unless the policy has a
//! [`random_source`](Policy::random_source). `Retry-After` with a date is ignored, unless the response has a `Date`.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(all(
        feature = "macros",
        feature = "report",
        feature = "reqwest-middleware",
        feature = "serde",
        feature = "testing-server",
        feature = "tower",
        feature = "connection-events"
    )),
    allow(
        rustdoc::broken_intra_doc_links,
        reason = "the documentation links to items that exist only with these features or those they enable"
    )
)]
#![cfg_attr(
    all(target_arch = "wasm32", target_os = "unknown"),
    allow(dead_code, reason = "requests with retries, which use most of the other layers, do not exist"),
    allow(clippy::arc_with_non_send_sync, reason = "the timer is `!Send`")
)]

mod classify;
#[cfg(feature = "serde")]
pub mod config;
mod context;
mod engine;
pub mod guide;
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
pub mod http;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
#[path = "http/mod_wasm.rs"]
pub mod http;
mod leases;
mod load;
mod observe;
pub mod policy;
#[doc(hidden)]
#[allow(missing_docs, reason = "for generated code only")]
pub mod private;
#[cfg(feature = "http")]
pub mod propagation;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "tower")]
pub mod tower;
mod util;

pub use crate::classify::class::Class;
pub use crate::classify::condition::{Condition, OnError};
pub use crate::classify::failure::Failure;
pub use crate::classify::mark::{permanent, transient};
pub use crate::classify::not_ready::NotReady;
pub use crate::classify::retryable::Retryable;
pub use crate::classify::timed_out::TimedOut;
pub use crate::classify::verdict::Verdict;
pub use crate::context::captured::Deadline;
pub use crate::engine::executor::Executor;
pub use crate::load::breaker::Breaker;
pub use crate::load::hedge::Hedge;
pub use crate::observe::event::{Event, Observer};
pub use crate::observe::track::track;
pub use crate::policy::attempt::Attempt;
pub use crate::policy::budget::Budget;
pub use crate::policy::builder::Policy;
pub use crate::policy::jitter::Jitter;
pub use crate::policy::nested::Nested;
pub use crate::policy::schedule::Schedule;
pub use crate::util::switch::{is_enabled, set_enabled};
/// # Examples
///
/// A block that changes a variable of the function around it:
///
/// ```
/// use retry_runtime::retrying;
///
/// # #[derive(Debug)] struct Row;
/// # struct Connection;
/// # impl Connection { async fn read(&mut self, _: u32) -> Result<Row, std::io::Error> { Ok(Row) } }
/// async fn load(connection: &mut Connection, id: u32) -> Result<Row, std::io::Error> {
///     let mut failed = 0;
///     let row = retrying!(attempts = 5, start = "200ms", name = "load row", async {
///         let row = connection.read(id).await;
///         failed += u32::from(row.is_err());
///         row
///     })
///     .await?;
///     println!("{failed} attempts failed");
///     Ok(row)
/// }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(load(&mut Connection, 1)).unwrap();
/// ```
///
/// With `?` in the block, the type of the outcome is written. `attempt` is the [`Attempt`]:
///
/// ```
/// # use retry_runtime::retrying;
/// # #[derive(Debug)] struct Error;
/// # impl From<std::num::ParseIntError> for Error { fn from(_: std::num::ParseIntError) -> Self { Self } }
/// # impl From<std::io::Error> for Error { fn from(_: std::io::Error) -> Self { Self } }
/// # async fn read(host: &str) -> std::io::Result<String> { Ok("7".to_owned()) }
/// # async fn call() -> Result<u32, Error> {
/// let hosts = ["a.example", "b.example"];
/// let number = retrying!(attempts = 4, backoff = "fixed", async |attempt| -> Result<u32, Error> {
///     let text = read(attempt.pick(&hosts)).await?;
///     Ok(text.parse()?)
/// })
/// .await?;
/// # Ok(number) }
/// # assert_eq!(tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(call()).unwrap(), 7);
/// ```
///
/// A spawned task owns what it uses. The policy is known only at run time:
///
/// ```
/// # use retry_runtime::{Policy, retrying};
/// # async fn send(_: &str) -> Result<(), std::io::Error> { Ok(()) }
/// # fn start(policy: Policy) -> tokio::task::JoinHandle<Result<(), std::io::Error>> {
/// let message = String::from("hello");
/// tokio::spawn(retrying!(policy = policy, async move { send(&message).await }))
/// # }
/// # let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
/// # runtime.block_on(async { start(Policy::new().attempts(2)).await }).unwrap().unwrap();
/// ```
///
/// Blocking code:
///
/// ```
/// # use retry_runtime::retrying;
/// # fn load(path: &std::path::Path) -> std::io::Result<String> {
/// let text = retrying!(blocking, attempts = 3, || std::fs::read_to_string(path))?;
/// # Ok(text) }
/// # assert!(load(std::path::Path::new("Cargo.toml")).is_ok());
/// ```
#[cfg(feature = "macros")]
pub use retry_macros::retrying;
#[cfg(feature = "macros")]
pub use retry_macros::{Retryable, retry};

/// Circuit breakers: the types used with [`Breaker`].
pub mod breaker {
    pub use crate::classify::breaker_open::{BreakerOpen, FromBreakerOpen};
    pub use crate::load::breaker::{BreakerChange, BreakerState};
}

/// Deadlines as values: the types used with [`Deadline`].
pub mod deadline {
    pub use crate::context::captured::WithDeadline;
}

/// Events: the types used with [`Event`] and [`Observer`].
pub mod event {
    pub use crate::classify::connection::Connection;
    pub use crate::context::connection_event::ConnectionEvent;
    pub use crate::engine::retrying::{HookResult, Retrying};
    pub use crate::observe::event::{DelaySource, EventKind, GiveUp};
    pub use crate::observe::owned::{OwnedEvent, OwnedEventKind};
    pub use crate::policy::event_level::EventLevel;
}

/// Types and traits in the signatures of [`Executor`].
pub mod executor {
    pub use crate::classify::drain::{Cleanup, DrainBody, NoCleanup};
    pub use crate::engine::attempt_context::AttemptContext;
    pub use crate::engine::attempt_future::AttemptFuture;
    pub use crate::engine::call::Call;
    pub use crate::engine::loop_error::{ByDebug, LoopError};
    pub use crate::engine::manual_call::{IntoPolicy, ManualCall, SharedBudget};
    pub use crate::engine::owned_pause::OwnedPause;
    pub use crate::engine::pause::Pause;
    pub use crate::engine::run::Run;
    pub use crate::engine::run_parts::{
        Async, Blocking, Judge, NoHook, OnRetry, Operation, OutcomeOf, PauseAfter, ReplaceJudge, RetryHook, Until, When,
    };
    pub use crate::engine::time_limit::{CutsOff, LimitTimer, Limited, ScopedOnly, TimeLimit, Unlimited};
}

/// Outcomes of attempts: the traits that generic functions need, and the types used with [`Condition`] and [`Verdict`].
pub mod outcome {
    pub use crate::classify::mark::Marked;
    pub use crate::classify::no_retry::NoRetry;
    pub use crate::classify::not_ready::FromNotReady;
    pub use crate::classify::outcome::{Classifier, Outcome};
    pub use crate::classify::result_like::ResultLike;
    pub use crate::classify::search::transient_in_chain;
    pub use crate::classify::timed_out::FromTimedOut;
    pub use crate::classify::verdict::NotSafe;
}

/// Budgets that many processes share: the types used with [`Budget::leased`].
pub mod fleet {
    pub use crate::leases::settings::LeaseStats;
    pub use crate::leases::store::{Lease, LeaseRequest, LeaseStore};
    pub use crate::policy::budget::lease_settings::{LeaseEvent, LeaseEventKind};
}

/// Timers, with which an [`Executor`] waits.
pub mod sleep {
    pub use crate::util::sleep::{CustomSleep, Sleep, SleepFunction, TimerSlot, TokioSleep};
}

/// Statistics of calls, by name.
#[cfg(any(feature = "metrics", feature = "report"))]
pub mod stats {
    pub use crate::observe::stats::named::CallStats;
    #[cfg(feature = "report")]
    pub use crate::observe::stats::report::{Report, ReportRow, report};
}

/// Reports of single calls: the types used with [`track()`].
pub mod track {
    pub use crate::context::values::FailedAttempt;
    pub use crate::observe::track::{CallReport, RetryError, Tracked};
}

/// The [`Verdict`] on an outcome of any type, by the same search and the same rule as in an annotated function.
///
/// `verdict!(&outcome)` judges by [`Condition::new`], and `verdict!(&outcome, condition)` by a [`Condition`] of your own.
///
/// ```
/// use std::io::{Error, ErrorKind};
/// use retry_runtime::{Class, verdict};
///
/// let outcome: Result<u32, Error> = Err(ErrorKind::ConnectionRefused.into());
/// assert_eq!(verdict!(&outcome).failure().unwrap().class(), Class::Transient);
/// ```
#[macro_export]
macro_rules! verdict {
    ($outcome:expr $(,)?) => {
        $crate::verdict!($outcome, $crate::Condition::new())
    };
    ($outcome:expr, $condition:expr $(,)?) => {
        // A `match`, not a `let`: temporaries in its scrutinee live until its end, so `$outcome` may borrow one.
        match $crate::private::outcome($outcome) {
            __retry_outcome => {
                use $crate::private::{ByMut as _, ByRef as _, ByValue as _};
                let __retry_kind = $crate::private::probe(__retry_outcome).__step().__step();
                $crate::Condition::judge(
                    &$condition,
                    __retry_kind.value(__retry_outcome),
                    __retry_kind.error(__retry_outcome),
                )
            }
        }
    };
}

/// The `Failure` of an error of any type, for `#[derive(Retryable)]`.
///
/// If the type of the error may contain a lifetime, the derive macro also passes `Lifetimes` or `MayBorrow`, the type in
/// `private` that finds out if the error is an error object that borrows, and the type of an outcome with that error.
/// `Alone` makes an outcome of the error, because these functions take outcomes.
#[doc(hidden)]
#[macro_export]
macro_rules! __failure {
    ($error:expr) => {
        $crate::__failure!(@ $crate::private::classify(&$crate::private::Alone($error)), $error)
    };
    ($error:expr, $lifetimes:ident, $outcome:ty) => {
        $crate::__failure!(@ $crate::private::$lifetimes::<$outcome>::of().__classify(&$crate::private::Alone($error)), $error)
    };
    (@ $probe:expr, $error:expr) => {{
        use $crate::private::{ByMut as _, ByRef as _, ByValue as _};
        $probe.__step().__step().error(&$crate::private::Alone($error)).unwrap_or($crate::Failure::new($crate::Class::Unknown))
    }};
}

/// The counters of an annotated function, for the attribute: a function that returns a static of its own.
#[cfg(any(feature = "metrics", feature = "report"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __counters {
    () => {
        || {
            static COUNTERS: $crate::private::Counters = $crate::private::Counters::new();
            &COUNTERS
        }
    };
}

/// No counters, because neither of the features `metrics` and `report` is on.
#[cfg(not(any(feature = "metrics", feature = "report")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __counters {
    () => {
        $crate::private::Counters
    };
}

/// The attempt of an annotated function. When the attempt consumes an argument that a second attempt would need, or returns a
/// borrow of one, rustc prints the name of this macro with its error. No other text in that error can come from this crate, so
/// the name is the advice.
#[cfg(feature = "macros")]
#[doc(hidden)]
#[macro_export]
macro_rules! each_attempt_borrows_arguments_and_owns_those_in_retry_clone {
    (async $attempt:tt) => {
        async $attempt
    };
    (blocking $attempt:tt) => {
        || $attempt
    };
}

/// The same for a function that takes `self` by value, which `clone` cannot name.
#[cfg(feature = "macros")]
#[doc(hidden)]
#[macro_export]
macro_rules! each_attempt_borrows_self_and_arguments_so_clone_in_the_body {
    (async $attempt:tt) => {
        async $attempt
    };
    (blocking $attempt:tt) => {
        || $attempt
    };
}

/// The same for a hedged attempt. Its copies run at the same time and borrow everything that the body uses.
#[cfg(feature = "macros")]
#[doc(hidden)]
#[macro_export]
macro_rules! hedged_copies_share_all_arguments_except_those_in_clone {
    (async $attempt:tt) => {
        async $attempt
    };
}

/// A function that returns the `static` of a budget or of a circuit breaker. If the path names anything else, rustc prints the name
/// of this macro with its error, so the name is the advice.
#[cfg(feature = "macros")]
#[doc(hidden)]
#[macro_export]
macro_rules! must_be_a_static_of_type_budget_or_breaker_not_a_const {
    ($type:ident, $path:path) => {{
        static __RETRY_STATIC: &$crate::$type = &$path;
        || __RETRY_STATIC
    }};
}
