//! Statistics of calls, by name, for the report and for the crate `metrics`.
//!
//! They do not count as an observer: the numbers are the same with and without one, and counting allocates no call state.
//! Without the features `metrics` and `report`, nothing is counted.

#[cfg(feature = "metrics")]
pub(crate) mod metrics;
#[cfg(any(feature = "metrics", feature = "report"))]
pub(crate) mod named;
#[cfg(not(any(feature = "metrics", feature = "report")))]
#[path = "named_off.rs"]
pub(crate) mod named;
#[cfg(feature = "report")]
pub(crate) mod report;
