//! The connection events of one call that have not been emitted yet.

use core::mem;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::classify::connection::Connection;
use crate::context::connection_event::ConnectionEvent;
use crate::util::clock::Instant;
use crate::util::sync::lock;

/// The connections that were made while a client reported connections. Only of these is it certain that a response came over a
/// connection that existed before.
static SEEN: Mutex<Seen> = Mutex::new(Seen { young: BTreeSet::new(), old: BTreeSet::new() });

/// At least this many of the youngest connections are remembered, and at most twice as many: a program may make any number.
const REMEMBERED: usize = 16_384;

#[derive(Debug)]
struct Seen {
    young: BTreeSet<Connection>,
    old: BTreeSet<Connection>,
}

impl Seen {
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

/// Remembers that a connection was made.
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
    /// The connections that were made for the last attempts, with the number of the attempt.
    made: Mutex<Vec<(u32, Connection)>>,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) attempt: u32,
    pub(crate) at: Instant,
    pub(crate) event: ConnectionEvent,
}

impl ConnectionLog {
    /// Takes the events that have not been emitted yet.
    pub(crate) fn take(&self) -> Vec<Entry> {
        mem::take(&mut lock(&self.0.pending))
    }

    /// True if a connection that served this attempt existed before the attempt.
    pub(crate) fn is_reused(&self, connection: Connection, attempt: u32) -> bool {
        !lock(&self.0.made).contains(&(attempt, connection)) && lock(&SEEN).contains(&connection)
    }

    /// The handle of an attempt.
    pub(super) fn of_attempt(&self, attempt: u32) -> AttemptHandle {
        AttemptHandle { log: self.clone(), attempt }
    }
}

/// An attempt that connection events belong to.
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
            // The connections of earlier attempts are not asked for any more.
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
        let mut seen = Seen { young: BTreeSet::new(), old: BTreeSet::new() };
        for port in 0..=u16::MAX {
            seen.insert(from_port(port));
            assert!(seen.young.len() + seen.old.len() <= 2 * REMEMBERED);
        }
        assert!((u16::MAX - 16_383..=u16::MAX).all(|port| seen.contains(&from_port(port))));
        assert!(!seen.contains(&from_port(0)));
    }
}
