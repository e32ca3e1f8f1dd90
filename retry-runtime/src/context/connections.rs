//! Whose attempt something on the wire happens for.
//!
//! What is polled as part of an attempt finds the attempt in a thread-local; what a pool does in tasks of its own takes the
//! attempt along. It is written down with the call, and said when the call is polled next: an observer is the call's, and
//! nobody else may use it.

use core::cell::RefCell;
use core::mem;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pin_project_lite::pin_project;

use crate::observe::connection::{Connection, ConnectionEvent};
use crate::util::clock::Instant;

/// Whether any client was set up to tell.
static TOLD: AtomicBool = AtomicBool::new(false);

pub(crate) fn switch_on() {
    TOLD.store(true, Ordering::Relaxed);
}

pub(crate) fn is_on() -> bool {
    TOLD.load(Ordering::Relaxed)
}

/// The connections that were seen to be made: of others it is not known whether they were there before.
static SEEN: Mutex<Seen> = Mutex::new(Seen { young: BTreeSet::new(), old: BTreeSet::new() });

/// So many of the youngest are remembered for certain, and at most twice as many: a program may make any number.
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

/// A connection was made.
pub(crate) fn remember(connection: Connection) {
    lock(&SEEN).insert(connection);
}

/// What happened for one call.
#[derive(Debug, Default)]
pub(crate) struct ConnectionLog {
    /// What has not been said yet.
    unsaid: Mutex<Vec<Entry>>,
    /// The connections that were made for the last attempts, and for which.
    made: Mutex<Vec<(u32, Connection)>>,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) attempt: u32,
    pub(crate) at: Instant,
    pub(crate) what: ConnectionEvent,
}

impl ConnectionLog {
    pub(crate) fn take(&self) -> Vec<Entry> {
        mem::take(&mut lock(&self.unsaid))
    }

    /// Whether a connection that served this attempt was there before it.
    pub(crate) fn is_reused(&self, connection: Connection, attempt: u32) -> bool {
        !lock(&self.made).contains(&(attempt, connection)) && lock(&SEEN).contains(&connection)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is done under the lock leaves it half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The attempt that something happens for.
#[derive(Clone, Debug)]
pub(crate) struct AttemptHandle {
    pub(crate) log: Arc<ConnectionLog>,
    pub(crate) attempt: u32,
}

thread_local! {
    static CURRENT: RefCell<Option<AttemptHandle>> = const { RefCell::new(None) };
}

impl AttemptHandle {
    /// The attempt that is being polled on this thread.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    pub(crate) fn note(&self, what: ConnectionEvent) {
        if let ConnectionEvent::Connected { connection: Some(connection), .. } = what {
            remember(connection);
            let mut made = lock(&self.log.made);
            // Nobody asks about attempts that are over.
            made.retain(|(attempt, _)| *attempt >= self.attempt);
            made.push((self.attempt, connection));
        }
        lock(&self.log.unsaid).push(Entry { attempt: self.attempt, at: Instant::now(), what });
    }
}

/// Makes an attempt the current one until it is dropped.
#[derive(Debug)]
pub(crate) struct EnteredAttempt(Option<AttemptHandle>);

impl EnteredAttempt {
    pub(crate) fn new(attempt: Option<AttemptHandle>) -> Self {
        Self(CURRENT.replace(attempt))
    }
}

impl Drop for EnteredAttempt {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

pin_project! {
    /// A future that goes on for the attempt that it was made for, wherever it is polled.
    #[derive(Debug)]
    pub(crate) struct For<F> {
        attempt: Option<AttemptHandle>,
        #[pin]
        future: F,
    }
}

impl<F> For<F> {
    pub(crate) fn new(attempt: Option<AttemptHandle>, future: F) -> Self {
        Self { attempt, future }
    }
}

impl<F: Future> Future for For<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.attempt.is_some().then(|| EnteredAttempt::new(this.attempt.clone()));
        this.future.poll(cx)
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
    fn a_call_remembers_no_connections_of_attempts_that_are_over() {
        let log = Arc::<ConnectionLog>::default();
        for attempt in 1..=100 {
            let made = AttemptHandle { log: log.clone(), attempt };
            made.note(ConnectionEvent::Connected { connection: Some(from_port(attempt as u16)), took: Duration::ZERO });
        }
        assert_eq!(*lock(&log.made), [(100, from_port(100))]);
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
