//! The monotonic clock of the host: tokio's, which tests can pause, or the standard library's without the feature `tokio`.
//!
//! `StdInstant` does not see a pause of tokio's clock.

#[allow(unused_imports, reason = "unused with some sets of features")]
pub(crate) use crate::util::host::{Instant, StdInstant, into_std, system_time};
