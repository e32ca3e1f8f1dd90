//! The engine: runs the attempts of one call and decides what follows each.
//!
//! May import `util`, `context`, `classify`, `policy` and `observe`.

pub(crate) mod attempt_future;
pub(crate) mod call;
pub(crate) mod decide;
pub(crate) mod executor;
#[cfg(any(feature = "tracing", feature = "connection-events"))]
pub(crate) mod in_span;
pub(crate) mod macro_call;
pub(crate) mod pause;
#[cfg(feature = "tokio")]
mod run;
pub(crate) mod state;
pub(crate) mod time_limit;
