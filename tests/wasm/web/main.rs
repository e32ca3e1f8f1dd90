//! Tests of the library on wasm32-unknown-unknown, in a host with JavaScript.

#![cfg(all(target_arch = "wasm32", target_os = "unknown"))]

mod host;
mod limits;
mod requests;
mod timers;

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
