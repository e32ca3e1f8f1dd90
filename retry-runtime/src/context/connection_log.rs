//! The connection events of one call that have not been emitted yet, and the process's memory of recent connections.

use core::mem;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::classify::connection::Connection;
use crate::context::connection_event::ConnectionEvent;
use crate::util::clock::Instant;
use crate::util::sync::lock;

/// The connections that a client has established since it reports connections. A response proves that its connection was
/// reused only if the connection is one of these. The client's pool does not report reuse, so a connection is identified
/// by its two ends: the connector reports them when it connects, and the response has them too.
static SEEN: Mutex<SeenConnections> = Mutex::new(SeenConnections { young: BTreeSet::new(), old: BTreeSet::new() });

/// The least number of recent connections to remember; at most twice as many are kept. The number is limited, because a
/// program may establish any number of connections.
const REMEMBERED: usize = 16_384;

/// The remembered connections, in two generations. When the young one is full, it replaces the old one, which is dropped.
#[derive(Debug)]
struct SeenConnections {
    young: BTreeSet<Connection>,
    old: BTreeSet<Connection>,
}

impl SeenConnections {
    fn insert(&mut self, connection: Connection) {
        if self.young.len() >= REMEMBERED {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(connection);
    }

    fn contains(&self, connection: &Connection) -> bool {
        self.young.contains(connection) || self.old.contains(connection)
    }
}

pub(crate) fn remember(connection: Connection) {
    lock(&SEEN).insert(connection);
}

/// The connection events of one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionLog(Arc<Log>);

#[derive(Debug, Default)]
struct Log {
    /// The events that have not been emitted yet.
    pending: Mutex<Vec<Entry>>,
    /// The connections that were established for the last attempts, with the number of the attempt.
    made: Mutex<Vec<(u32, Connection)>>,
}

/// A connection event with its attempt and its time.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) attempt: u32,
    pub(crate) at: Instant,
    pub(crate) event: ConnectionEvent,
}

impl ConnectionLog {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Takes the events that have not been emitted yet.
    pub(crate) fn take(&self) -> Vec<Entry> {
        mem::take(&mut lock(&self.0.pending))
    }

    /// True if a connection that served this attempt existed before the attempt.
    pub(crate) fn is_reused(&self, connection: Connection, attempt: u32) -> bool {
        !lock(&self.0.made).contains(&(attempt, connection)) && lock(&SEEN).contains(&connection)
    }

    /// A handle that adds events of this attempt to the log.
    pub(super) fn of_attempt(&self, attempt: u32) -> AttemptHandle {
        AttemptHandle { log: self.clone(), attempt }
    }
}

/// A handle of the attempt that connection events belong to. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct AttemptHandle {
    log: ConnectionLog,
    attempt: u32,
}

impl AttemptHandle {
    pub(crate) fn note(&self, event: ConnectionEvent) {
        let Self { log: ConnectionLog(log), attempt } = self;
        if let ConnectionEvent::Connected { connection: Some(connection), .. } = event {
            remember(connection);
            let mut made = lock(&log.made);
            // The connections of earlier attempts are not needed any more.
            made.retain(|(of, _)| of >= attempt);
            made.push((*attempt, connection));
        }
        lock(&log.pending).push(Entry { attempt: *attempt, at: Instant::now(), event });
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    fn from_port(port: u16) -> Connection {
        Connection { local: ([127, 0, 0, 1], port).into(), remote: ([127, 0, 0, 1], 80).into() }
    }

    #[test]
    fn a_call_forgets_the_connections_of_earlier_attempts() {
        let log = ConnectionLog::default();
        for attempt in 1..=100 {
            let handle = AttemptHandle { log: log.clone(), attempt };
            handle
                .note(ConnectionEvent::Connected { connection: Some(from_port(attempt as u16)), took: Duration::ZERO });
        }
        assert_eq!(*lock(&log.0.made), [(100, from_port(100))]);
        assert!(log.is_reused(from_port(1), 100) && !log.is_reused(from_port(100), 100));
    }

    #[test]
    fn a_program_remembers_its_last_connections() {
        let mut seen = SeenConnections { young: BTreeSet::new(), old: BTreeSet::new() };
        for port in 0..=u16::MAX {
            seen.insert(from_port(port));
            assert!(seen.young.len() + seen.old.len() <= 2 * REMEMBERED);
        }
        assert!((u16::MAX - 16_383..=u16::MAX).all(|port| seen.contains(&from_port(port))));
        assert!(!seen.contains(&from_port(0)));
    }
}
