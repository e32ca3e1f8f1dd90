//! The rules and the state of a breaker. It reads no clock: callers pass the current time, so that tests and loom's proofs can
//! choose it.

use core::fmt;
use core::mem;
use core::num::NonZeroUsize;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::PoisonError;

use crate::util::clock::Instant;
use crate::util::sync::{Mutex, MutexGuard};

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
}

/// The rules and the state of a breaker.
pub(crate) struct Gate {
    pub(crate) failure_rate: u8,
    pub(crate) minimum_attempts: u32,
    pub(crate) window: Duration,
    pub(crate) open_for: Duration,
    inside: Mutex<Locked>,
}

/// The state before and after an operation. Both may be equal.
#[derive(Clone, Copy)]
pub(crate) struct Change {
    pub(crate) from: BreakerState,
    pub(crate) to: BreakerState,
}

struct Locked {
    state: State,
    counts: [WindowCounts; PARTS],
    /// Tasks to wake when the probe ends.
    waiters: Vec<Waiter>,
    /// The number that the next probe or waiter gets.
    next: u64,
}

struct Waiter {
    number: u64,
    waker: Waker,
}

#[derive(Clone, Copy)]
enum State {
    Closed,
    /// `None` if the end is too far away for the clock: the breaker then stays open.
    Open {
        until: Option<Instant>,
    },
    HalfOpen {
        probe: Option<Probe>,
    },
}

/// The attempt that decides whether a half-open breaker closes.
#[derive(Clone, Copy)]
struct Probe {
    number: u64,
    since: Instant,
}

/// The reason that an attempt is not admitted.
pub(crate) enum Refusal<'a> {
    /// The breaker is open, and admits a probe after this time.
    Open(Duration),
    /// A probe is under way, and has been for this long.
    Probed(ProbeEnd<'a>, Duration),
}

/// The number of parts that the window is divided into. It moves forward one part at a time.
const PARTS: usize = 10;

/// The counts of the attempts in one part of the window.
#[derive(Clone, Copy)]
struct WindowCounts {
    since: Option<Instant>,
    attempts: u32,
    failures: u32,
}

impl WindowCounts {
    const NONE: Self = Self { since: None, attempts: 0, failures: 0 };
}

impl Gate {
    pub(crate) const fn new(failure_rate: u8, minimum_attempts: u32, window: Duration, open_for: Duration) -> Self {
        let inside = Locked { state: State::Closed, counts: [WindowCounts::NONE; PARTS], waiters: Vec::new(), next: 0 };
        let inside = Mutex::new(inside);
        Self { failure_rate, minimum_attempts, window, open_for, inside }
    }

    pub(crate) fn state(&self) -> BreakerState {
        self.lock().state.name()
    }

    /// Admits an attempt, or returns the reason for not admitting it.
    pub(crate) fn admit(&self, now: Instant) -> Result<(Permit<'_>, Change), Refusal<'_>> {
        let mut inside = self.lock();
        let before = inside.state;
        let is_probe = match before {
            State::Closed => false,
            State::Open { until: None } => return Err(Refusal::Open(Duration::MAX)),
            State::Open { until: Some(until) } if now < until => return Err(Refusal::Open(until - now)),
            State::HalfOpen { probe: Some(Probe { number, since }) } => {
                let end = ProbeEnd { gate: self, probe: number, waiter: None };
                return Err(Refusal::Probed(end, now.saturating_duration_since(since)));
            }
            State::Open { .. } | State::HalfOpen { probe: None } => {
                let probe = Probe { number: inside.number(), since: now };
                inside.state = State::HalfOpen { probe: Some(probe) };
                true
            }
        };
        let change = Change { from: before.name(), to: inside.state.name() };
        Ok((Permit { gate: self, is_probe, is_settled: false }, change))
    }

    /// Admits an attempt that the probe makes. It does not count: only the outcome of the probe decides.
    pub(crate) fn admit_inside_probe(&self) -> Permit<'_> {
        Permit { gate: self, is_probe: false, is_settled: false }
    }

    /// The identity of this breaker: while it is borrowed, no other breaker has the same address.
    pub(crate) fn address(&self) -> NonZeroUsize {
        NonNull::from(self).addr()
    }

    /// Counts the outcome of an attempt that was admitted, and changes the state if the outcome decides that.
    fn settle(&self, is_probe: bool, now: Instant, failed: bool) -> Change {
        let mut inside = self.lock();
        let before = inside.state;
        let open = State::Open { until: now.checked_add(self.open_for) };
        inside.state = match before {
            State::HalfOpen { .. } if is_probe && failed => open,
            State::HalfOpen { .. } if is_probe => {
                inside.counts = [WindowCounts::NONE; PARTS];
                State::Closed
            }
            State::Closed if inside.count(now, failed, self) => open,
            // The attempt started before the state changed, so its outcome does not count any more.
            _ => before,
        };
        let change = Change { from: before.name(), to: inside.state.name() };
        if is_probe {
            wake(inside);
        }
        change
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

/// Wakes the tasks that wait for the end of the probe. It releases the lock first, because a waker runs foreign code, which
/// may ask the same breaker.
#[cold]
fn wake(mut inside: MutexGuard<'_, Locked>) {
    let waiters = mem::take(&mut inside.waiters);
    drop(inside);
    waiters.into_iter().for_each(|waiter| waiter.waker.wake());
}

impl State {
    const fn name(self) -> BreakerState {
        match self {
            Self::Closed => BreakerState::Closed,
            Self::Open { .. } => BreakerState::Open,
            Self::HalfOpen { .. } => BreakerState::HalfOpen,
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

    /// True while this probe is under way.
    fn is_probed_by(&self, number: u64) -> bool {
        matches!(self.state, State::HalfOpen { probe: Some(probe) } if probe.number == number)
    }

    /// Counts an attempt. Returns true if the share of failures now opens the breaker.
    fn count(&mut self, now: Instant, failed: bool, gate: &Gate) -> bool {
        // A part begins with the first attempt after the part before it is over. The oldest part is reused for it.
        let part = gate.window / PARTS as u32;
        let newest = self.counts[0].since;
        if newest.is_none_or(|since| now.saturating_duration_since(since) >= part) {
            self.counts.rotate_right(1);
            self.counts[0] = WindowCounts { since: Some(now), ..WindowCounts::NONE };
        }
        let counts = &mut self.counts[0];
        counts.attempts = counts.attempts.saturating_add(1);
        counts.failures = counts.failures.saturating_add(failed.into());
        let is_recent = |counts: &&WindowCounts| {
            counts.since.is_some_and(|since| now.saturating_duration_since(since) < gate.window)
        };
        let sum =
            |of: fn(&WindowCounts) -> u32| self.counts.iter().filter(is_recent).map(|c| u64::from(of(c))).sum::<u64>();
        let (attempts, failures) = (sum(|counts| counts.attempts), sum(|counts| counts.failures));
        failed && attempts >= gate.minimum_attempts.into() && failures * 100 >= attempts * u64::from(gate.failure_rate)
    }
}

/// An attempt that was admitted. If it is dropped before its end it does not count, and a probe makes room for the next one.
pub(crate) struct Permit<'a> {
    gate: &'a Gate,
    is_probe: bool,
    is_settled: bool,
}

impl Permit<'_> {
    /// The address of the breaker if the attempt is its probe. A breaker has one probe at a time, so this identifies the probe.
    pub(crate) fn probed(&self) -> Option<NonZeroUsize> {
        self.is_probe.then(|| self.gate.address())
    }

    /// Counts the outcome of the attempt.
    pub(crate) fn settle(mut self, now: Instant, failed: bool) -> Change {
        self.is_settled = true;
        self.gate.settle(self.is_probe, now, failed)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.is_probe && !self.is_settled {
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

impl BreakerState {
    /// The name of the state: `closed`, `open` or `half-open`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

impl fmt::Display for BreakerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
