//! When a breaker lets attempts through. It has no clock: who asks says what time it is, and the proofs say what they like.

use core::fmt;
use core::time::Duration;
use std::sync::PoisonError;

use crate::atomic::{Mutex, MutexGuard};
use crate::sleep::Instant;

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
    inside: Mutex<Inside>,
}

/// What something did to the state.
#[derive(Clone, Copy)]
pub(crate) struct Change {
    pub(crate) from: BreakerState,
    pub(crate) to: BreakerState,
}

struct Inside {
    state: State,
    counts: [Counts; PARTS],
}

#[derive(Clone, Copy)]
enum State {
    Closed,
    /// For ever, where no clock reaches its end.
    Open {
        until: Option<Instant>,
    },
    HalfOpen {
        is_probed: bool,
    },
}

/// The window moves on in parts of it.
const PARTS: usize = 10;

/// What became of the attempts of one part of the window.
#[derive(Clone, Copy)]
struct Counts {
    since: Option<Instant>,
    calls: u32,
    failures: u32,
}

impl Counts {
    const NONE: Self = Self { since: None, calls: 0, failures: 0 };
}

impl Gate {
    pub(crate) const fn new(failure_rate: u8, minimum_calls: u32, window: Duration, open_for: Duration) -> Self {
        let inside = Mutex::new(Inside { state: State::Closed, counts: [Counts::NONE; PARTS] });
        Self { failure_rate, minimum_calls, window, open_for, inside }
    }

    pub(crate) fn state(&self) -> BreakerState {
        self.lock().state.name()
    }

    /// Lets an attempt through, or says how long it will be until one is.
    pub(crate) fn admit(&self, now: Instant) -> Result<(Permit<'_>, Change), Duration> {
        let mut inside = self.lock();
        let before = inside.state;
        let is_probe = match before {
            State::Closed => false,
            State::Open { until: None } => return Err(Duration::MAX),
            State::Open { until: Some(until) } if now < until => return Err(until - now),
            State::HalfOpen { is_probed: true } => return Err(Duration::ZERO),
            State::Open { .. } | State::HalfOpen { is_probed: false } => {
                inside.state = State::HalfOpen { is_probed: true };
                true
            }
        };
        let change = Change { from: before.name(), to: inside.state.name() };
        Ok((Permit { gate: self, is_probe, is_settled: false }, change))
    }

    /// What follows from an attempt that was let through.
    fn settle(&self, is_probe: bool, now: Instant, failed: bool) -> Change {
        let mut inside = self.lock();
        let before = inside.state;
        let open = State::Open { until: now.checked_add(self.open_for) };
        inside.state = match before {
            State::HalfOpen { .. } if is_probe && failed => open,
            State::HalfOpen { .. } if is_probe => {
                inside.counts = [Counts::NONE; PARTS];
                State::Closed
            }
            State::Closed if inside.count(now, failed, self) => open,
            // What began before the state changed says nothing of it.
            _ => before,
        };
        Change { from: before.name(), to: inside.state.name() }
    }

    /// A probe was dropped before its end: the next attempt is one.
    fn free(&self) {
        let mut inside = self.lock();
        if let State::HalfOpen { is_probed } = &mut inside.state {
            *is_probed = false;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Nothing that is done under the lock leaves it half done.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

impl Inside {
    /// Counts an attempt: whether the failures are too many now.
    fn count(&mut self, now: Instant, failed: bool, gate: &Gate) -> bool {
        let part = gate.window / PARTS as u32;
        let newest = self.counts[0].since;
        if newest.is_none_or(|since| now.saturating_duration_since(since) >= part) {
            self.counts.rotate_right(1);
            self.counts[0] = Counts { since: Some(now), ..Counts::NONE };
        }
        let counts = &mut self.counts[0];
        counts.calls = counts.calls.saturating_add(1);
        counts.failures = counts.failures.saturating_add(failed.into());
        let is_recent =
            |counts: &&Counts| counts.since.is_some_and(|since| now.saturating_duration_since(since) < gate.window);
        let sum = |of: fn(&Counts) -> u32| self.counts.iter().filter(is_recent).map(|c| u64::from(of(c))).sum::<u64>();
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
