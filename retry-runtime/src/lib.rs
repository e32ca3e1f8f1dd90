#![cfg_attr(not(doctest), doc = include_str!("guide/front_page.md"))] // the README has the same example, which is compiled there
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
#[cfg(feature = "macros")]
pub use retry_macros::{Retryable, retry, retrying};

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
    pub use crate::engine::manual_call::{IntoPolicy, ManualCall};
    pub use crate::engine::owned_pause::OwnedPause;
    pub use crate::engine::pause::Pause;
    pub use crate::engine::run::Run;
    pub use crate::engine::run_parts::{
        Async, Blocking, Judge, NoHook, OnRetry, Operation, OutcomeOf, PauseAfter, ReplaceJudge, RetryHook, Until, When,
    };
    pub use crate::engine::time_limit::{
        BlockingLimit, CutsOff, LimitOfAnyError, LimitTimer, Limited, ScopedOnly, TimeLimit, Unlimited,
    };
    pub use crate::util::shared::Shared;
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

/// The mark of a function with a `policy` that it has warned about limits which cannot cut off its attempts.
#[doc(hidden)]
#[macro_export]
macro_rules! __warned {
    () => {{
        static WARNED: ::core::sync::atomic::AtomicBool = ::core::sync::atomic::AtomicBool::new(false);
        &WARNED
    }};
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
