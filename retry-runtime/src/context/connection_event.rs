//! `ConnectionEvent`: name resolution, connections and redirects during an attempt.

use core::fmt;
use core::time::Duration;
use std::net::SocketAddr;

use crate::classify::connection::Connection;
use crate::util::durations::legible;

/// An event of name resolution, of a connection or of a redirect during an attempt. Emitted if the client is set up to
/// report connections; see [`http::connections`](crate::http::connections).
///
/// Its `Display` is one readable line: `connected to 127.0.0.1:80 in 2ms`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionEvent {
    /// The resolver starts to look up the addresses of a host.
    #[non_exhaustive]
    Resolving {
        /// The host.
        host: String,
    },
    /// The resolver found the addresses of a host.
    #[non_exhaustive]
    Resolved {
        /// The host.
        host: String,
        /// The addresses that it found.
        addresses: Vec<SocketAddr>,
        /// The time that the lookup took.
        took: Duration,
    },
    /// The lookup of a host failed.
    #[non_exhaustive]
    ResolveFailed {
        /// The host.
        host: String,
        /// The error with its sources.
        reason: String,
        /// The time that the lookup took.
        took: Duration,
    },
    /// The client starts to establish a connection, which includes name resolution and the TLS handshake.
    Connecting,
    /// A connection was established, including the TLS handshake.
    #[non_exhaustive]
    Connected {
        /// Its two ends; `None` if it is not a TCP connection.
        connection: Option<Connection>,
        /// The time that it took to connect.
        took: Duration,
    },
    /// The client could not establish a connection.
    #[non_exhaustive]
    ConnectFailed {
        /// The error with its sources.
        reason: String,
        /// The time until the error.
        took: Duration,
    },
    /// The response of the attempt came over a connection that existed before the attempt.
    #[non_exhaustive]
    Reused {
        /// The connection.
        connection: Connection,
    },
    /// The server redirects the client to another URL. The client's redirect policy decides if it follows.
    #[non_exhaustive]
    Redirected {
        /// The status of the redirect.
        status: u16,
        /// The new URL, with user name, password, query and fragment masked.
        to: String,
    },
}

impl ConnectionEvent {
    /// The name of the event: `resolving`, `resolved`, `resolve_failed`, `connecting`, `connected`, `connect_failed`,
    /// `reused` or `redirected`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Resolving { .. } => "resolving",
            Self::Resolved { .. } => "resolved",
            Self::ResolveFailed { .. } => "resolve_failed",
            Self::Connecting => "connecting",
            Self::Connected { .. } => "connected",
            Self::ConnectFailed { .. } => "connect_failed",
            Self::Reused { .. } => "reused",
            Self::Redirected { .. } => "redirected",
        }
    }
}

impl fmt::Display for ConnectionEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolving { host } => write!(f, "resolving {host}"),
            Self::Resolved { host, addresses, took } => {
                let plural = if addresses.len() == 1 { "" } else { "es" };
                write!(f, "resolved {host} to {} address{plural} in {:?}", addresses.len(), legible(*took))
            }
            Self::ResolveFailed { host, reason, took } => {
                write!(f, "could not resolve {host} in {:?}: {reason}", legible(*took))
            }
            Self::Connecting => f.write_str("connecting"),
            Self::Connected { connection: Some(Connection { local, remote }), took } => {
                write!(f, "connected to {remote} from port {} in {:?}", local.port(), legible(*took))
            }
            Self::Connected { connection: None, took } => write!(f, "connected in {:?}", legible(*took)),
            Self::ConnectFailed { reason, took } => write!(f, "could not connect in {:?}: {reason}", legible(*took)),
            Self::Reused { connection: Connection { local, remote } } => {
                write!(f, "reused the connection to {remote} from port {}", local.port())
            }
            Self::Redirected { status, to } => write!(f, "redirected to {to} with status {status}"),
        }
    }
}
