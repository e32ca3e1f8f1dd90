//! Retries for async Rust: an attribute that turns a function into a loop, and the engine below it for loops that you
//! write yourself.
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
//! Three attempts, with one and then two seconds between them, on status 503 and on errors that may pass, such as a
//! refused connection. The function keeps its signature, its return type and its error type, and the last outcome comes
//! back as it is. A configuration that makes no sense is a compile error with the caret on the value at fault.
//!
//! | to know | read |
//! |---|---|
//! | All arguments | [`retry`](macro@retry) |
//! | Which backoff, which jitter, how many attempts | [`guide::schedule`] |
//! | Requests without a function around them; `Retry-After`; middleware | [`http`] |
//! | Budgets, deadlines, breakers: retries that do not bring a service down | [`guide::load`] |
//! | Errors of your own, `anyhow`, boxed errors | [`guide::errors`] |
//! | Loops by hand, other runtimes, functions that block | [`guide::by_hand`] |
//! | Tests that do not wait | [`guide::testing`], [`testing`] |
//! | What the events mean, and what to do about them; metrics, reports, policies in files | [`guide::operating`] |
//! | How many attempts a call took | [`retried`] |
//! | Coming from `backon`, `tokio-retry`, `reqwest-retry`, `aiohttp_retry` | [`guide::migrating`] |
//! | Why it is as it is; what it does not do | [`guide::faq`], [`guide::limits`] |
//!
//! # What is tried again
//!
//! Without a word from you: outcomes with status 408, 429, 500, 502, 503 or 504, and all errors but those that are known
//! to be permanent. [`Condition`] has the whole rule, and [`Class`] what is known of statuses and I/O errors. To find out
//! about an error, the attribute looks at
//!
//! 1. the error itself, if its type implements [`Retryable`];
//! 2. the error and its `source()` chain, if it is a boxed error or an `anyhow::Error`;
//! 3. its `source()` chain, if it is another [`Error`](std::error::Error).
//!
//! What such a search cannot see, and the ways out, are in [`guide::errors`].
//!
//! # The parts
//!
//! | what | in the attribute | in loops, and as types |
//! |---|---|---|
//! | how often and when | `attempts`, `backoff`, `jitter`, `deadline` … | [`Policy`], [`Jitter`], [`Schedule`], [`Attempt`] |
//! | which outcomes | `on_status`, `on_error`, `on_ok` | [`Condition`], [`verdict!`], [`Verdict`] |
//! | what a type knows of itself | [`Retryable`], and the [derive macro](derive@Retryable) | the same; [`Failure`], [`Class`] |
//! | the loop | | [`Executor`], [`Policy::run`] |
//! | under load | `budget`, `nested`, `deadline`, `breaker`, `hedge` | [`Budget`], [`Breaker`], [`Hedge`], [`Policy::nested`] |
//! | who listens | `observer`, `name` | [`Observer`], [`Event`], [`EventKind`], [`GiveUp`], [`OwnedEvent`]; for the caller [`retried`] |
//! | who counts | | [`report()`], [`CallStats`], the feature `metrics` |
//! | who changes it | `policy = POLICIES.billing` | [`policies!`], [`Policies`], [`set_enabled`] |
//!
//! # Cancel safety
//!
//! Drop the future of a call whenever you like. The attempt that runs is dropped with it; there is no other state that could be
//! lost. [How to stop waiting](guide::load#to-stop-waiting) has examples.
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `macros` | yes | [`retry`](macro@retry) and the derive macro |
//! | `tokio` | yes | tokio's timer and [`Policy::run`]; without it, `sleep = …` and [`Executor::sleep`] |
//! | `tracing` | yes | for `tracing`, target `retry`: a span for each call and each attempt, and events in them |
//! | `log` | no | the events for `log`, while `tracing` has no subscriber |
//! | `metrics` | no | counters and histograms for the crate `metrics`: [what is counted](guide::operating#metrics) |
//! | `report` | no | what became of all calls, by name: [`report()`] |
//! | `http` | no | what is known of the responses of the `http` crate; `Retry-After` |
//! | `reqwest` | no | what is known of reqwest 0.13's errors and responses; requests with retry; `CheckStatus` |
//! | `reqwest-middleware` | no | a middleware for reqwest-middleware 0.5 |
//! | `connection-events` | no | events of names, connections and redirects: [`http::connections`] |
//! | `h2` | no | what is known of the errors of HTTP/2, such as refused streams |
//! | `reqwest-012` | no | the same for reqwest 0.12; both may be on |
//! | `hyper` | no | what is known of the errors of hyper 1 and of hyper-util's client; it switches on hyper-util's `client-legacy` and `http1` |
//! | `tonic` | no | what is known of tonic 0.14's `Status`, with `RetryInfo` and pushback; beside tonic, without its transport, it brings prost |
//! | `tower` | no | [`TowerPolicy`](tower::TowerPolicy), a retry policy for the services of tower 0.5; it switches on tower's `retry` and `timeout` |
//! | `serde` | no | [`Policy`] from any format of serde, and [`config::Policies`] that operators change in TOML or JSON files |
//! | `testing` | no | for dev-dependencies: [`testing`], where nothing sleeps and all is recorded; no further dependency |
//! | `testing-server` | no | for dev-dependencies: a small HTTP [`Server`](testing::Server) on hyper; it switches on tokio's `net` and `rt`, and hyper's `http1` and `server` |
//!
//! If the feature of a client is off, its types are unknown. `on_status` is then a
//! [compile error](macro@retry#conditions-that-can-never-retry), and without `on_status` each `Ok(response)` is a success,
//! whatever its status.
//!
//! Features add: none changes what another one knows. None of them switches on a feature of `reqwest` or `tokio` that your
//! program did not ask for, but tokio's `time`; the exceptions are `connection-events` (`net`) and `testing-server`.

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
    allow(rustdoc::broken_intra_doc_links, reason = "the documentation is that of all features")
)]

mod classify;
#[cfg(feature = "serde")]
pub mod config;
mod context;
mod engine;
pub mod guide;
pub mod http;
mod load;
mod observe;
mod policy;
#[doc(hidden)]
#[allow(missing_docs, reason = "for generated code only")]
pub mod private;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "tower")]
pub mod tower;
mod util;

pub use crate::classify::class::Class;
pub use crate::classify::condition::{Condition, OnError};
pub use crate::classify::failure::Failure;
pub use crate::classify::mark::{permanent, transient};
pub use crate::classify::retryable::Retryable;
pub use crate::classify::timed_out::TimedOut;
pub use crate::classify::verdict::Verdict;
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
#[cfg(feature = "macros")]
pub use retry_macros::{Retryable, retry};

/// Circuit breakers: the types used with [`Breaker`].
pub mod breaker {
    pub use crate::classify::breaker_open::{BreakerOpen, FromBreakerOpen};
    pub use crate::load::breaker::{BreakerChange, BreakerState};
}

/// Events: the types used with [`Event`] and [`Observer`].
pub mod event {
    pub use crate::classify::connection::Connection;
    pub use crate::context::connection_event::ConnectionEvent;
    pub use crate::observe::event::{DelaySource, EventKind, GiveUp};
    pub use crate::observe::owned::{OwnedEvent, OwnedEventKind};
}

/// Types and traits in the signatures of [`Executor`].
pub mod executor {
    pub use crate::classify::drain::{Cleanup, DrainBody, NoCleanup};
    pub use crate::engine::attempt_future::AttemptFuture;
    pub use crate::engine::call::{Call, ManualCall};
    pub use crate::engine::pause::Pause;
    pub use crate::engine::time_limit::{LimitTimer, Limited, ScopedOnly, TimeLimit, Unlimited};
}

/// Outcomes of attempts: the traits that generic functions need, and the types used with [`Condition`] and [`Verdict`].
pub mod outcome {
    pub use crate::classify::mark::Marked;
    pub use crate::classify::outcome::{Classifier, Outcome};
    pub use crate::classify::search::transient_in_chain;
    pub use crate::classify::timed_out::FromTimedOut;
    pub use crate::classify::verdict::NotSafe;
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
        match &$crate::private::Classify::new($outcome) {
            __retry_known => $crate::Condition::judge(&$condition, __retry_known.__value(), __retry_known.__error()),
        }
    };
}

/// The `Failure` of an error of any type, for `#[derive(Retryable)]`. For an error that may borrow, the derive macro also
/// passes the type of an outcome and the name of the type in `private` that checks it.
#[doc(hidden)]
#[macro_export]
macro_rules! __failure {
    ($error:expr) => {
        (&$crate::private::Classify::new(&$crate::private::Alone($error)))
            .__error()
            .unwrap_or($crate::Failure::new($crate::Class::Unknown))
    };
    ($error:expr, $asked:ident, $outcome:ty) => {
        $crate::private::$asked::<$outcome>::of()
            .__classify(&$crate::private::Alone($error))
            .__error()
            .unwrap_or($crate::Failure::new($crate::Class::Unknown))
    };
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
        ()
    };
}

/// The attempt of an annotated function. When the attempt consumes an argument that a second attempt would need, rustc
/// prints the name of this macro with its error. No other text in that error can come from this crate, so the name is the
/// advice.
#[cfg(feature = "macros")]
#[doc(hidden)]
#[macro_export]
macro_rules! run_body_again_with_clone_for_consumed_arguments {
    (async $attempt:tt) => {
        async $attempt
    };
    (blocking $attempt:tt) => {
        || $attempt
    };
}

/// The same for a hedged attempt, whose copies run at the same time and borrow everything that the body uses.
#[cfg(feature = "macros")]
#[doc(hidden)]
#[macro_export]
macro_rules! hedged_copies_share_all_arguments_except_those_in_clone {
    (async $attempt:tt) => {
        async $attempt
    };
}
