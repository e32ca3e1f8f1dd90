//! Observation: events, spans and statistics of calls, and reports of single calls.
//!
//! Every module exists with any set of features. Without its feature, a module is replaced by an empty twin, `…_off.rs`,
//! with the same functions, which do nothing, and zero-sized types. So the engine needs no `cfg` for observation.

#[cfg(feature = "connection-events")]
pub(crate) mod connections;
#[cfg(not(feature = "connection-events"))]
#[path = "connections_off.rs"]
pub(crate) mod connections;
pub(crate) mod event;
pub(crate) mod owned;
pub(crate) mod reason;
#[cfg(feature = "testing")]
pub(crate) mod recorder;
#[cfg(not(feature = "testing"))]
#[path = "recorder_off.rs"]
pub(crate) mod recorder;
pub(crate) mod sink;
#[cfg(feature = "tracing")]
pub(crate) mod spans;
#[cfg(not(feature = "tracing"))]
#[path = "spans_off.rs"]
pub(crate) mod spans;
pub(crate) mod stats;
pub(crate) mod track;
