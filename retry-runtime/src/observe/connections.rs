//! Emission of connection events, from the connection log of a call.

use crate::classify::connection::Via;
use crate::context::connection_event::ConnectionEvent;
pub(crate) use crate::context::connections::ENABLED;
use crate::context::connections::{ConnectionLog, Entry};
use crate::observe::event::EventKind;
use crate::util::clock::Instant;

/// Passes the events that have not been emitted yet to `emit`, each with its attempt and its time.
pub(crate) fn flush(log: &ConnectionLog, mut emit: impl FnMut(u32, Instant, EventKind<'_>)) {
    for Entry { attempt, at, event } in log.take() {
        emit(attempt, at, EventKind::Connection(&event));
    }
}

/// Emits that the response of this attempt came over a connection that existed before, if it did.
pub(crate) fn reused(log: &ConnectionLog, via: Via, attempt: u32, emit: impl FnOnce(EventKind<'_>)) {
    let Some(connection) = via.connection() else { return };
    if log.is_reused(connection, attempt) {
        emit(EventKind::Connection(&ConnectionEvent::Reused { connection }));
    }
}
