//! When a breaker lets attempts through. It has no clock: who asks says what time it is, and the proofs say what they like.

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

/// What a breaker does with attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BreakerState {
    /// It lets them through.
    Closed,
    /// It does not.
    Open,
    /// It lets one through at a time.
    HalfOpen,
}

/// The rules and the state of a breaker.
pub(crate) struct Gate {
    pub(crate) failure_rate: u8,
    pub(crate) minimum_calls: u32,
    pub(crate) window: Duration,
    pub(crate) open_for: Duration,
    inside: Mutex<Inner>,
}

/// What something did to the state.
#[derive(Clone, Copy)]
pub(crate) struct Change {
    pub(crate) from: BreakerState,
    pub(crate) to: BreakerState,
}

struct Inner {
    state: State,
    counts: [WindowCounts; PARTS],
    /// Tasks to wake when the probe ends.
    waiters: Vec<Waiter>,
    /// The number of the next probe or waiter.
    next: u64,
}

struct Waiter {
    number: u64,
    waker: Waker,
}

#[derive(Clone, Copy)]
enum State {
    Closed,
    /// For ever, where no clock reaches its end.
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

/// Why an attempt is not let through.
pub(crate) enum Refusal<'a> {
    /// Until a probe is let through, which is so long.
    Open(Duration),
    /// A probe is under way, and has been for so long.
    Probed(ProbeEnd<'a>, Duration),
}

/// The window moves on in parts of it.
const PARTS: usize = 10;

/// What became of the attempts of one part of the window.
#[derive(Clone, Copy)]
struct WindowCounts {
    since: Option<Instant>,
    calls: u32,
    failures: u32,
}

impl WindowCounts {
    const NONE: Self = Self { since: None, calls: 0, failures: 0 };
}

impl Gate {
    pub(crate) const fn new(failure_rate: u8, minimum_calls: u32, window: Duration, open_for: Duration) -> Self {
        let inside = Inner { state: State::Closed, counts: [WindowCounts::NONE; PARTS], waiters: Vec::new(), next: 0 };
        let inside = Mutex::new(inside);
        Self { failure_rate, minimum_calls, window, open_for, inside }
    }

    pub(crate) fn state(&self) -> BreakerState {
        self.lock().state.name()
    }

    /// Lets an attempt through, or returns the reason why not.
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

    /// Lets an attempt through that the probe makes. Only the outcome of the probe decides.
    pub(crate) fn admit_inside_probe(&self) -> Permit<'_> {
        Permit { gate: self, is_probe: false, is_settled: false }
    }

    /// Different from that of all other breakers, while this one is borrowed.
    pub(crate) fn address(&self) -> NonZeroUsize {
        NonNull::from(self).addr()
    }

    /// What follows from an attempt that was let through.
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
            // What began before the state changed says nothing of it.
            _ => before,
        };
        let change = Change { from: before.name(), to: inside.state.name() };
        if is_probe {
            wake(inside);
        }
        change
    }

    /// A probe was dropped before its end: the next attempt is one.
    fn free(&self) {
        let mut inside = self.lock();
        if let State::HalfOpen { probe } = &mut inside.state {
            *probe = None;
        }
        wake(inside);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that is done under the lock leaves it half done.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the tasks that wait for the end of the probe, after it has released the lock: a waker is foreign code.
#[cold]
fn wake(mut inside: MutexGuard<'_, Inner>) {
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

impl Inner {
    fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// True while this probe is under way.
    fn is_probed_by(&self, number: u64) -> bool {
        matches!(self.state, State::HalfOpen { probe: Some(probe) } if probe.number == number)
    }

    /// WindowCounts an attempt: whether the failures are too many now.
    fn count(&mut self, now: Instant, failed: bool, gate: &Gate) -> bool {
        let part = gate.window / PARTS as u32;
        let newest = self.counts[0].since;
        if newest.is_none_or(|since| now.saturating_duration_since(since) >= part) {
            self.counts.rotate_right(1);
            self.counts[0] = WindowCounts { since: Some(now), ..WindowCounts::NONE };
        }
        let counts = &mut self.counts[0];
        counts.calls = counts.calls.saturating_add(1);
        counts.failures = counts.failures.saturating_add(failed.into());
        let is_recent = |counts: &&WindowCounts| {
            counts.since.is_some_and(|since| now.saturating_duration_since(since) < gate.window)
        };
        let sum =
            |of: fn(&WindowCounts) -> u32| self.counts.iter().filter(is_recent).map(|c| u64::from(of(c))).sum::<u64>();
        let (calls, failures) = (sum(|counts| counts.calls), sum(|counts| counts.failures));
        failed && calls >= gate.minimum_calls.into() && failures * 100 >= calls * u64::from(gate.failure_rate)
    }
}

/// An attempt that was let through. Dropped before its end, it is as if it had not been.
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

    /// Takes note of how it ended.
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
    /// The number of the waker that is registered.
    waiter: Option<u64>,
}

impl Future for ProbeEnd<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Cloned and dropped outside of the lock, for a waker is foreign code.
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
        let place = inside.waiters.iter().position(|waiter| waiter.number == number);
        let waiter = place.map(|place| inside.waiters.swap_remove(place));
        drop(inside);
        drop(waiter);
    }
}

impl BreakerState {
    /// The word for it: `closed`, `open` or `half-open`.
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
