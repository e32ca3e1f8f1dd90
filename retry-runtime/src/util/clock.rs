//! The monotonic clock: tokio's, which tests can pause, or the standard library's without the feature `tokio`.

#[cfg(not(feature = "tokio"))]
pub(crate) use std::time::Instant;
#[cfg(feature = "tokio")]
pub(crate) use tokio::time::Instant;

/// The instant as the standard library's.
pub(crate) fn into_std(instant: Instant) -> std::time::Instant {
    #[cfg(feature = "tokio")]
    return instant.into_std();
    #[cfg(not(feature = "tokio"))]
    instant
}
