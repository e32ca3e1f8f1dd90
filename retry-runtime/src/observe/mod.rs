//! Observation: the events, spans and statistics of calls, and reports of single calls.
//!
//! Every part always exists. Without its feature a part is replaced by a twin, `…_off.rs`, of the same functions that do nothing and
//! types without a size, so that the engine needs no `cfg`.
//!
//! May import `util`, `classify`, `context` and `policy`.

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
