//! Observation: events, spans, statistics and reports of attempts.
//!
//! May import `util`, `context`, `classify` and `policy`.

pub(crate) mod connection;
pub(crate) mod event;
pub(crate) mod owned;
pub(crate) mod reason;
pub(crate) mod sink;
#[cfg(feature = "tracing")]
pub(crate) mod spans;
pub(crate) mod stats;
pub(crate) mod track;
