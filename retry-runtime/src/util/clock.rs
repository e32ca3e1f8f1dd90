//! The monotonic clock: tokio's, which tests can pause, or the standard library's without the feature `tokio`.

#[cfg(not(feature = "tokio"))]
pub(crate) use std::time::Instant;
#[cfg(feature = "tokio")]
pub(crate) use tokio::time::Instant;
