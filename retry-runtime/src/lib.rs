//! Retries for async Rust.
#![forbid(unsafe_code)]

mod annotated;
mod attempt;
mod backoff;
mod call;
mod chain;
mod class;
mod condition;
mod cut;
mod emit;
mod engine;
mod event;
mod executor;
mod http;
mod jitter;
mod mask;
mod outcome;
mod pause;
mod policy;
#[doc(hidden)]
#[allow(missing_docs, reason = "not for people")]
pub mod private;
mod rare;
#[cfg(feature = "tokio")]
mod run;
mod running;
mod schedule;
mod sleep;
#[cfg(feature = "tracing")]
mod span;
mod timed_out;
mod wrap;

pub use crate::attempt::Attempt;
pub use crate::backoff::Backoff;
pub use crate::call::{ByHand, Call};
pub use crate::class::{Class, Failure, Retryable};
pub use crate::condition::{Condition, OnError, Verdict};
pub use crate::event::{DelaySource, Event, EventKind, GiveUp, Observer};
pub use crate::executor::Executor;
#[cfg(feature = "reqwest")]
pub use crate::http::{CheckStatus, StatusError};
pub use crate::jitter::Jitter;
pub use crate::outcome::{Judge, Outcome};
pub use crate::pause::Pause;
pub use crate::policy::Policy;
pub use crate::running::Running;
pub use crate::schedule::Schedule;
pub use crate::sleep::{CustomSleep, Sleep, TokioSleep};
pub use crate::timed_out::{FromTimedOut, TimedOut};
pub use crate::wrap::{Marked, permanent, transient, transient_in_chain};
#[cfg(feature = "macros")]
pub use retry_macros::{Retryable, retry};

/// What an outcome of any type is worth: its [`Verdict`], by the same search and the same rule as in an annotated
/// function.
///
/// `verdict!(&outcome)` judges by [`Condition::new`]; `verdict!(&outcome, condition)` by a [`Condition`] of yours.
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
    ($outcome:expr, $condition:expr $(,)?) => {{
        let known = &$crate::private::Known::new($outcome);
        $crate::Condition::judge(&$condition, known.answer(), known.error())
    }};
}

/// What is known of an error of any type, for `#[derive(Retryable)]`.
#[doc(hidden)]
#[macro_export]
macro_rules! __failure {
    ($error:expr) => {
        (&$crate::private::Known::new(&$crate::private::Alone($error)))
            .error()
            .unwrap_or($crate::Failure::new($crate::Class::Unknown))
    };
}
