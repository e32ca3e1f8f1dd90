//! TCP connections, identified by their two ends, and the connection that a response came over.

#[cfg(feature = "connection-events")]
use core::sync::atomic::{AtomicBool, Ordering};
use std::net::SocketAddr;

/// A TCP connection, identified by its two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Connection {
    /// The address of this machine's end.
    pub local: SocketAddr,
    /// The address of the other end: the server, or the proxy if there is one.
    pub remote: SocketAddr,
}

/// The connection that a response came over, if the client reports it. Zero-sized without the feature `connection-events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Via {
    #[cfg(feature = "connection-events")]
    connection: Option<Connection>,
}

#[cfg(feature = "connection-events")]
impl Via {
    pub(crate) const NONE: Self = Self { connection: None };

    pub(crate) const fn of(connection: Option<Connection>) -> Self {
        Self { connection }
    }

    pub(crate) const fn connection(self) -> Option<Connection> {
        self.connection
    }
}

#[cfg(not(feature = "connection-events"))]
impl Via {
    pub(crate) const NONE: Self = Self {};

    #[inline(always)]
    pub(crate) const fn of(_: Option<Connection>) -> Self {
        Self {}
    }
}

/// True once a client has been set up to report its connections. Until then, no connection is looked up in a response.
/// Relaxed, because no other data depends on it.
#[cfg(feature = "connection-events")]
static REPORTED: AtomicBool = AtomicBool::new(false);

#[cfg(feature = "connection-events")]
pub(crate) fn switch_on() {
    REPORTED.store(true, Ordering::Relaxed);
}

#[cfg(feature = "connection-events")]
pub(crate) fn is_reported() -> bool {
    REPORTED.load(Ordering::Relaxed)
}
