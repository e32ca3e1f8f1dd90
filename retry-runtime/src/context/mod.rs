//! The context of the attempt that is being polled on this thread.
//!
//! May import `util` and `classify`.

#[cfg(feature = "connection-events")]
pub(crate) mod connections;
pub(crate) mod scope;
#[cfg(feature = "testing")]
pub(crate) mod simulation;
