//! What happens on the wire for an attempt.

use core::fmt;
use core::time::Duration;
use std::net::SocketAddr;

use crate::classify::connection::Connection;
use crate::util::durations::legible;

/// What happens on the wire for an attempt. Said where a client was set up for it, as [`http::connections`](crate::http::connections)
/// tells.
///
/// Its `Display` is a line for people: `connected to 127.0.0.1:80 in 2ms`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionEvent {
    /// The resolver is asked for the addresses of a host.
    #[non_exhaustive]
    Resolving {
        /// The host.
        host: String,
    },
    /// The resolver has answered.
    #[non_exhaustive]
    Resolved {
        /// The host.
        host: String,
        /// What it gave.
        addresses: Vec<SocketAddr>,
        /// How long that took.
        took: Duration,
    },
    /// The resolver has failed.
    #[non_exhaustive]
    ResolveFailed {
        /// The host.
        host: String,
        /// The error with its sources.
        reason: String,
        /// How long that took.
        took: Duration,
    },
    /// A connection is being made; the name is resolved and TLS is agreed on as part of it.
    Connecting,
    /// A connection was made, TLS and all.
    #[non_exhaustive]
    Connected {
        /// Its two ends, where it is one of TCP.
        connection: Option<Connection>,
        /// How long that took.
        took: Duration,
    },
    /// No connection was made.
    #[non_exhaustive]
    ConnectFailed {
        /// The error with its sources.
        reason: String,
        /// How long that took.
        took: Duration,
    },
    /// The attempt got its response over a connection that was there before.
    #[non_exhaustive]
    Reused {
        /// The connection.
        connection: Connection,
    },
    /// The server sends the client to another URL. Whether the client follows is up to its redirect policy.
    #[non_exhaustive]
    Redirected {
        /// The status that says so.
        status: u16,
        /// The URL, with user name, password, query and fragment masked.
        to: String,
    },
}

impl ConnectionEvent {
    /// One word for it: `resolving`, `resolved`, `resolve_failed`, `connecting`, `connected`, `connect_failed`, `reused` or
    /// `redirected`.
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
                write!(f, "connection to {remote} from port {} used again", local.port())
            }
            Self::Redirected { status, to } => write!(f, "sent to {to} by status {status}"),
        }
    }
}
