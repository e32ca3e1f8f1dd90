//! The context of the attempt that is being polled on this thread: everything that a call inside it can see of the calls
//! around it.
//!
//! A `Scope` sets one field of the thread-local in `thread.rs` while an attempt is polled (or runs, in blocking code), and
//! restores it when the poll ends, even by a panic. So the context belongs to the polled future, not to its task or thread:
//! the branches of a `join!` do not see each other's context, and a spawned task sees none, unless the attempt itself polls
//! it, as a `LocalSet` inside the attempt does. Calls whose first attempt succeeds never read the context.

pub(crate) mod caller;
pub(crate) mod captured;
pub(crate) mod connection_event;
#[cfg(feature = "connection-events")]
mod connection_log;
#[cfg(feature = "connection-events")]
pub(crate) mod connections;
#[cfg(not(feature = "connection-events"))]
#[path = "connections_off.rs"]
pub(crate) mod connections;
pub(crate) mod deadline;
pub(crate) mod expiry;
pub(crate) mod nested;
pub(crate) mod probes;
#[cfg(feature = "testing")]
pub(crate) mod simulation;
#[cfg(not(feature = "testing"))]
#[path = "simulation_off.rs"]
pub(crate) mod simulation;
mod thread;
pub(crate) mod tracked;
pub(crate) mod values;
