//! The rules and the state of a breaker. It reads no clock: callers pass a function that does, so that tests and loom's proofs
//! can choose the time.
//!
//! Attempts that a closed breaker admits, and their outcomes, go through the atomics of `window.rs`. The lock is for changes
//! of state and for everything about probes.

use core::mem;
use core::num::NonZeroUsize;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::PoisonError;

use crate::util::clock::Instant;
use crate::util::sync::{Mutex, MutexGuard};

use super::pause::Pause;
use super::window::{CLOSED, HALF_OPEN, OPEN, PAUSED, PAUSED_OPEN, Ticket, Window};

/// The state of a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BreakerState {
    /// Admits every attempt.
    Closed,
    /// Rejects every attempt.
    Open,
    /// Admits one attempt at a time, as a probe.
    HalfOpen,
    /// Rejects every attempt, because the server asked to wait. Only with
    /// [`Breaker::pause_on_retry_after`](crate::Breaker::pause_on_retry_after).
    Paused,
}

/// The rules and the state of a breaker.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) failure_rate: u8,
    pub(crate) minimum_attempts: u32,
    pub(crate) window: Duration,
    pub(crate) open_for: Duration,
    counts: Window,
    inside: Mutex<Locked>,
}

/// The state before and after an operation. Both may be equal.
#[derive(Clone, Copy)]
pub(crate) struct Change {
    pub(crate) from: BreakerState,
    pub(crate) to: BreakerState,
}

/// The state with its details. The state itself is also in `Gate::counts`, and changes only under the lock.
#[derive(Debug)]
struct Locked {
    state: State,
    /// Tasks to wake when the probe ends.
    waiters: Vec<Waiter>,
    /// The number that the next probe or waiter gets.
    next: u64,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    waker: Waker,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    /// `None` if the end is too far away for the clock: the breaker then stays open.
    Open {
        until: Option<Instant>,
    },
    HalfOpen {
        probe: Option<Probe>,
    },
    Paused(Pause),
}

/// The attempt that decides whether a half-open breaker closes.
#[derive(Clone, Copy, Debug)]
struct Probe {
    number: u64,
    since: Instant,
}

/// The reason that an attempt is not admitted.
pub(crate) enum Refusal<'a> {
    /// The breaker is open, and admits a probe after this time.
    Open(Duration),
    /// The breaker is paused for the rest of this pause.
    Paused(Pause, Duration),
    /// A probe is under way, and has been for this long.
    Probed(ProbeEnd<'a>, Duration),
}

impl Gate {
    pub(crate) const fn new(failure_rate: u8, minimum_attempts: u32, window: Duration, open_for: Duration) -> Self {
        let inside = Mutex::new(Locked { state: State::Closed, waiters: Vec::new(), next: 0 });
        Self { failure_rate, minimum_attempts, window, open_for, counts: Window::new(), inside }
    }

    pub(crate) fn state(&self) -> BreakerState {
        match self.counts.state() {
            CLOSED => BreakerState::Closed,
            OPEN => BreakerState::Open,
            HALF_OPEN => BreakerState::HalfOpen,
            _ => BreakerState::Paused,
        }
    }

    /// Admits an attempt, or returns the reason for not admitting it. A closed breaker needs no time for that.
    #[inline]
    pub(crate) fn admit(&self, now: impl Fn() -> Instant) -> Result<(Permit<'_>, Change), Refusal<'_>> {
        match self.counts.admit() {
            Some(ticket) => Ok((Permit { gate: self, ticket }, Change::none(BreakerState::Closed))),
            None => self.admit_unless_open(now()),
        }
    }

    #[cold]
    #[inline(never)]
    fn admit_unless_open(&self, now: Instant) -> Result<(Permit<'_>, Change), Refusal<'_>> {
        let mut inside = self.lock();
        let before = inside.state;
        if let Some(refusal) = self.refusal(before, now) {
            return Err(refusal);
        }
        let ticket = match before {
            // If it is closed, it has closed since then. Nothing else opens it while it is locked.
            State::Closed | State::Paused(Pause { precedes_probe: false, .. }) => {
                self.enter(&mut inside, State::Closed);
                // The pause may have been longer than a part of the window.
                self.counts.move_on(now, self.window);
                self.counts.admit().unwrap_or(Ticket::NONE)
            }
            State::Open { .. } | State::HalfOpen { .. } | State::Paused(_) => {
                let probe = Probe { number: inside.number(), since: now };
                self.enter(&mut inside, State::HalfOpen { probe: Some(probe) });
                Ticket::PROBE
            }
        };
        let change = Change { from: before.name(), to: inside.state.name() };
        Ok((Permit { gate: self, ticket }, change))
    }

    /// The reason that no attempt is admitted in this state.
    fn refusal(&self, state: State, now: Instant) -> Option<Refusal<'_>> {
        match state {
            State::Closed | State::HalfOpen { probe: None } => None,
            State::Open { until: None } => Some(Refusal::Open(Duration::MAX)),
            State::Open { until: Some(until) } => (now < until).then(|| Refusal::Open(until - now)),
            State::Paused(pause) => Some(Refusal::Paused(pause, pause.rest(now)?)),
            State::HalfOpen { probe: Some(Probe { number, since }) } => {
                let end = ProbeEnd { gate: self, probe: number, waiter: None };
                Some(Refusal::Probed(end, now.saturating_duration_since(since)))
            }
        }
    }

    /// Admits an attempt that the probe makes. It does not count: only the outcome of the probe decides.
    pub(crate) fn admit_inside_probe(&self) -> Permit<'_> {
        Permit { gate: self, ticket: Ticket::NONE }
    }

    /// The identity of this breaker: while it is borrowed, no other breaker has the same address.
    pub(crate) fn address(&self) -> NonZeroUsize {
        NonNull::from(self).addr()
    }

    /// Counts a success, and changes the state if it is that of a probe.
    #[inline]
    fn succeed(&self, ticket: Ticket, now: impl Fn() -> Instant) -> Change {
        if ticket != Ticket::PROBE && self.counts.succeed_at_once(ticket) {
            Change::none(BreakerState::Closed)
        } else {
            self.succeed_otherwise(ticket, now)
        }
    }

    #[cold]
    #[inline(never)]
    fn succeed_otherwise(&self, ticket: Ticket, now: impl Fn() -> Instant) -> Change {
        if ticket == Ticket::PROBE {
            self.end_probe(|_| {
                self.counts.close(now(), self.window);
                State::Closed
            })
        } else if self.counts.succeed(ticket, self.window, now) {
            Change::none(BreakerState::Closed)
        } else {
            // The attempt started before the state changed, so its outcome does not count any more.
            Change::none(self.state())
        }
    }

    /// Counts a failure, and changes the state if the failure decides that. A `pause` of zero is none.
    #[cold]
    #[inline(never)]
    fn fail(&self, ticket: Ticket, now: Instant, pause: Duration) -> Change {
        if ticket == Ticket::PROBE {
            return self.end_probe(|probed| {
                let state = State::Open { until: now.checked_add(self.open_for) }.paused(now, pause);
                self.counts.change(probed.code(), state.code());
                state
            });
        }
        let counts = self.counts.fail(ticket, self.window, now);
        let opens = counts && self.counts.is_reached(ticket, self.minimum_attempts, self.failure_rate);
        // An attempt inside a probe changes nothing: only the outcome of the probe decides.
        if !opens && (pause.is_zero() || ticket == Ticket::NONE) {
            return Change::none(if counts { BreakerState::Closed } else { self.state() });
        }
        let mut inside = self.lock();
        let before = inside.state;
        // Not if another failure has opened the breaker, even if it has closed again since then.
        let opens = opens && self.counts.is_counted(ticket);
        if !opens && pause.is_zero() {
            return Change::none(BreakerState::Closed);
        }
        let state = if opens { before.opened(now.checked_add(self.open_for)) } else { before };
        self.enter(&mut inside, state.paused(now, pause));
        Change { from: before.name(), to: inside.state.name() }
    }

    /// Ends the probe with this change of state, which also sets the state of the counts.
    fn end_probe(&self, end: impl FnOnce(State) -> State) -> Change {
        let mut inside = self.lock();
        let before = inside.state;
        inside.state = end(before);
        let change = Change { from: before.name(), to: inside.state.name() };
        wake(inside);
        change
    }

    /// Changes the state, except for that to closed after a probe, which also empties the counts.
    fn enter(&self, inside: &mut Locked, state: State) {
        if inside.state.code() != state.code() {
            self.counts.change(inside.state.code(), state.code());
        }
        inside.state = state;
    }

    /// A probe was dropped before its end, so the next attempt becomes the probe.
    fn free(&self) {
        let mut inside = self.lock();
        if let State::HalfOpen { probe } = &mut inside.state {
            *probe = None;
        }
        wake(inside);
    }

    fn lock(&self) -> MutexGuard<'_, Locked> {
        // No panic under the lock leaves the state half changed, so a poisoned lock can still be used.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Change {
    const fn none(state: BreakerState) -> Self {
        Self { from: state, to: state }
    }
}

/// Wakes the tasks that wait for the end of the probe. It releases the lock first, because a waker runs foreign code, which
/// may ask the same breaker.
#[cold]
fn wake(mut inside: MutexGuard<'_, Locked>) {
    let waiters = mem::take(&mut inside.waiters);
    drop(inside);
    waiters.into_iter().for_each(|waiter| waiter.waker.wake());
}

impl State {
    /// The state in the word of the window.
    const fn code(self) -> u64 {
        match self {
            Self::Closed => CLOSED,
            Self::Open { .. } => OPEN,
            Self::HalfOpen { .. } => HALF_OPEN,
            Self::Paused(Pause { precedes_probe: false, .. }) => PAUSED,
            Self::Paused(_) => PAUSED_OPEN,
        }
    }

    /// The state after a failure that opens the breaker until this time. A pause that ends later goes on.
    fn opened(self, until: Option<Instant>) -> Self {
        match self {
            Self::Paused(pause) if pause.ends_after(until) => Self::Paused(pause.before_probe()),
            _ => Self::Open { until },
        }
    }

    /// The state after a server has asked to wait for this long.
    fn paused(self, now: Instant, length: Duration) -> Self {
        if length.is_zero() {
            return self;
        }
        match self {
            Self::Closed => Self::Paused(Pause::new(now, length, false)),
            Self::Paused(pause) => Self::Paused(pause.or_longer(now, length)),
            Self::Open { until } => {
                let pause = Pause::new(now, length, true);
                if pause.ends_after(until) { Self::Paused(pause) } else { self }
            }
            // The probe decides.
            Self::HalfOpen { .. } => self,
        }
    }

    const fn name(self) -> BreakerState {
        match self {
            Self::Closed => BreakerState::Closed,
            Self::Open { .. } => BreakerState::Open,
            Self::HalfOpen { .. } => BreakerState::HalfOpen,
            Self::Paused(_) => BreakerState::Paused,
        }
    }
}

impl Locked {
    /// Returns a number that no other probe or waiter of this breaker has.
    fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    fn is_probed_by(&self, number: u64) -> bool {
        matches!(self.state, State::HalfOpen { probe: Some(probe) } if probe.number == number)
    }
}

/// An attempt that was admitted. If it is dropped before its end it does not count, and a probe makes room for the next one.
pub(crate) struct Permit<'a> {
    gate: &'a Gate,
    ticket: Ticket,
}

impl<'a> Permit<'a> {
    /// The address of the breaker if the attempt is its probe. A breaker has one probe at a time, so this identifies the probe.
    #[inline]
    pub(crate) fn probed(&self) -> Option<NonZeroUsize> {
        (self.ticket == Ticket::PROBE).then(|| self.gate.address())
    }

    #[inline]
    pub(crate) fn succeed(self, now: impl Fn() -> Instant) -> Change {
        let (gate, ticket) = self.end();
        gate.succeed(ticket, now)
    }

    /// Counts the failure of the attempt, and pauses the breaker for this long, unless that is zero.
    #[cold]
    pub(crate) fn fail(self, now: Instant, pause: Duration) -> Change {
        let (gate, ticket) = self.end();
        gate.fail(ticket, now, pause)
    }

    /// Ends a probe whose caller has left: it neither succeeds nor fails, but the next probe has to wait for a tenth of the time.
    /// Otherwise a service that hangs would receive every attempt of callers that wait too briefly.
    #[cold]
    pub(crate) fn postpone(self, now: Instant) -> Change {
        let (gate, ticket) = self.end();
        if ticket != Ticket::PROBE {
            return Change::none(gate.state());
        }
        gate.end_probe(|probed| {
            let state = State::Open { until: now.checked_add(gate.open_for / 10) };
            gate.counts.change(probed.code(), state.code());
            state
        })
    }

    /// Ends the permit before its outcome counts, because a waker that panics must not free the next probe.
    #[inline]
    fn end(self) -> (&'a Gate, Ticket) {
        let parts = (self.gate, self.ticket);
        mem::forget(self);
        parts
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.ticket == Ticket::PROBE {
            self.gate.free();
        }
    }
}

/// Ready when a probe has ended, whether it succeeded, failed or was dropped.
pub(crate) struct ProbeEnd<'a> {
    gate: &'a Gate,
    probe: u64,
    /// The number of the registered waker, if the future has been polled.
    waiter: Option<u64>,
}

impl Future for ProbeEnd<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Cloned and dropped outside the lock, because a waker runs foreign code.
        let mut waker = cx.waker().clone();
        let mut inside = self.gate.lock();
        if !inside.is_probed_by(self.probe) {
            return Poll::Ready(());
        }
        let registered = self.waiter.and_then(|number| inside.waiters.iter_mut().find(|w| w.number == number));
        match registered {
            Some(waiter) => mem::swap(&mut waiter.waker, &mut waker),
            None => {
                let number = inside.number();
                inside.waiters.push(Waiter { number, waker });
                self.waiter = Some(number);
            }
        }
        Poll::Pending
    }
}

impl Drop for ProbeEnd<'_> {
    fn drop(&mut self) {
        let Some(number) = self.waiter else { return };
        let mut inside = self.gate.lock();
        // The waker is dropped after the lock, because it runs foreign code.
        let place = inside.waiters.iter().position(|waiter| waiter.number == number);
        let waiter = place.map(|place| inside.waiters.swap_remove(place));
        drop(inside);
        drop(waiter);
    }
}
