//! The context of the attempt that is being polled on this thread: everything that a call inside it can see of the calls
//! around it.
//!
//! There is one thread-local, in `thread.rs`. A `Scope` sets one of its fields while an attempt is polled (or runs, in
//! blocking code), and restores the field when the poll ends, even by a panic. So the context belongs to the polled
//! future, not to its task or thread: the branches of a `join!` do not see each other's context. A spawned task sees
//! none, unless the attempt itself polls the task, as a `LocalSet` or a `FuturesUnordered` inside the attempt does. Calls
//! whose first attempt succeeds never read the context.
//!
//! May import `util` and `classify`.

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
