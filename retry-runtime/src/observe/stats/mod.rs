//! Statistics of calls, by name: for the report, and for the crate `metrics`.

#[cfg(feature = "metrics")]
pub(crate) mod metrics;
#[cfg(any(feature = "metrics", feature = "report"))]
pub(crate) mod named;
#[cfg(not(any(feature = "metrics", feature = "report")))]
#[path = "named_off.rs"]
pub(crate) mod named;
#[cfg(feature = "report")]
pub(crate) mod report;
