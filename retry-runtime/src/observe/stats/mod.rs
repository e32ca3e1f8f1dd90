//! Statistics of calls: `report()` and the crate `metrics`.

pub(crate) mod count;
#[cfg(feature = "metrics")]
pub(crate) mod metrics;
#[cfg(feature = "report")]
pub(crate) mod report;
#[cfg(any(feature = "metrics", feature = "report"))]
pub(crate) mod tally;
