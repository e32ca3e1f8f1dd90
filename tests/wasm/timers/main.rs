//! Tests of pauses and time limits with the timer of JavaScript.

#![cfg(all(target_arch = "wasm32", target_os = "unknown"))]

mod host;
mod limits;
mod pauses;

use retry_runtime::breaker::BreakerOpen;
use retry_runtime::{Retryable, TimedOut};

/// An error for calls with time limits or a breaker.
#[derive(Debug, Retryable, thiserror::Error)]
enum Error {
    #[error("try again")]
    #[retryable(transient)]
    Transient,
    #[error(transparent)]
    #[retryable(source)]
    TimedOut(#[from] TimedOut),
    #[error(transparent)]
    #[retryable(source)]
    Rejected(#[from] BreakerOpen),
}
