//! The tokens of a budget whose capacity follows the traffic of its process.
//!
//! A process that sends little needs few tokens. If each of very many such processes had the tokens of a large one, together
//! they could send an unlimited number of retries during an outage. The capacity is therefore three retries, and what the
//! successes of the busiest ten seconds give back.
//!
//! The whole state is one word, so that each change is one atomic operation. A word is *settled* if the bucket is full and the
//! calls of the current window justify the largest capacity. Successes then do nothing but load it, and calls are no longer
//! counted. The next failure ends that. If it comes after the end of the window, the number of calls since then is unknown. The
//! largest capacity remains valid for one more second, which is long enough for a busy process to show that it still is one.

pub(crate) const MAX: u16 = 500;
/// The number of retries that the capacity always allows.
const FLOOR: u16 = 3;
/// The milliseconds of a tick, the unit of time.
pub(crate) const TICK: u64 = 125;
/// The length of a window, in ticks: ten seconds.
const WINDOW: u32 = 80;
/// The time for which the largest capacity of an earlier window remains valid, in ticks: one second.
const TRUST: u32 = 8;
/// The highest bit, so that a comparison finds it.
pub(crate) const SETTLED: u64 = 1 << 63;
const TRUSTED: u64 = 1 << 62;

/// The cost of retries and the gain of a success, in tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    pub(crate) retry: u16,
    pub(crate) timeout: u16,
    pub(crate) success: u16,
}

/// The tokens, and the traffic that they depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    tokens: u16,
    /// The calls of the current window, up to [`Scale::enough`].
    calls: u16,
    /// The calls of the busiest window before, reduced by a sixteenth with each window since.
    peak: u16,
    /// The tick at which the current window began.
    start: u32,
    /// The largest capacity of an earlier window remains valid for now.
    is_trusted: bool,
    is_settled: bool,
}

impl Scale {
    /// The capacity without traffic.
    const fn floor(self) -> u16 {
        at_most_max(self.retry.saturating_mul(FLOOR))
    }

    /// The number of calls in a window that justifies the largest capacity.
    const fn enough(self) -> u16 {
        if self.success == 0 { 0 } else { (MAX - self.floor()).div_ceil(self.success) }
    }

    /// The cost of a retry. A timeout takes at most a third of the capacity, so that a small bucket pays for more than one.
    fn cost(self, timed_out: bool, capacity: u16) -> u16 {
        if timed_out { self.timeout.min(self.retry.max(capacity / FLOOR)) } else { self.retry }
    }

    /// The word of a new bucket.
    pub(crate) const fn first(self) -> u64 {
        State { tokens: self.floor(), calls: 0, peak: 0, start: 0, is_trusted: false, is_settled: false }.word()
    }
}

impl State {
    pub(crate) const fn of(word: u64) -> Self {
        Self {
            tokens: field(word >> 52),
            calls: field(word >> 42),
            peak: field(word >> 32),
            start: word as u32,
            is_trusted: word & TRUSTED != 0,
            is_settled: word & SETTLED != 0,
        }
    }

    pub(crate) const fn word(self) -> u64 {
        let flags = if self.is_trusted { TRUSTED } else { 0 } | if self.is_settled { SETTLED } else { 0 };
        flags | (self.tokens as u64) << 52 | (self.calls as u64) << 42 | (self.peak as u64) << 32 | self.start as u64
    }

    /// True if counting the next success makes no difference, so that it need not read the clock.
    pub(crate) const fn has_enough_calls(self, scale: Scale) -> bool {
        self.calls >= scale.enough()
    }

    pub(crate) fn tokens(self, scale: Scale, tick: u32) -> u16 {
        let now = self.at(tick);
        now.tokens.min(now.capacity(scale))
    }

    /// The state after a success with the first attempt. Without a tick, it is not counted.
    pub(crate) fn succeeded(self, scale: Scale, tick: Option<u32>) -> Self {
        let mut next = tick.map_or(self, |tick| self.called(scale, tick));
        next.tokens = next.tokens.saturating_add(scale.success).min(next.capacity(scale));
        next.is_settled = next.tokens == MAX && next.has_enough_calls(scale);
        next
    }

    /// The state after another call.
    pub(crate) fn called(self, scale: Scale, tick: u32) -> Self {
        let now = self.at(tick);
        Self { calls: (now.calls + 1).min(scale.enough()), is_settled: false, ..now }
    }

    /// The state after a retry has been paid for, and the tokens that it took.
    pub(crate) fn paid(self, scale: Scale, tick: u32, timed_out: bool) -> Option<(Self, u16)> {
        let now = self.at(tick);
        let capacity = now.capacity(scale);
        let cost = scale.cost(timed_out, capacity);
        let tokens = now.tokens.min(capacity).checked_sub(cost)?;
        Some((Self { tokens, is_settled: false, ..now }, cost))
    }

    /// The state after these tokens have been given back.
    pub(crate) fn given_back(self, scale: Scale, tokens: u16) -> Self {
        let tokens = self.tokens.saturating_add(tokens).min(self.capacity(scale).max(self.tokens));
        Self { tokens, ..self }
    }

    fn capacity(self, scale: Scale) -> u16 {
        if self.is_trusted {
            return MAX;
        }
        let calls = if self.calls > self.peak { self.calls } else { self.peak };
        at_most_max(scale.floor().saturating_add(scale.success.saturating_mul(calls)))
    }

    /// The state at this tick, before anything happens.
    fn at(self, tick: u32) -> Self {
        // A thread may have read the clock before another one changed the state.
        let elapsed = tick.saturating_sub(self.start);
        if elapsed < WINDOW {
            return Self { is_trusted: self.is_trusted && elapsed < TRUST, ..self };
        }
        let peak = decayed(self.peak, 1).max(self.calls);
        let peak = decayed(peak, elapsed / WINDOW - 1);
        Self { calls: 0, peak, start: tick, is_trusted: self.is_settled, is_settled: false, ..self }
    }
}

/// The lowest ten bits.
const fn field(word: u64) -> u16 {
    (word & 0x3FF) as u16
}

const fn at_most_max(tokens: u16) -> u16 {
    if tokens < MAX { tokens } else { MAX }
}

/// The count after a number of windows. Each window takes a sixteenth of the count. Only the result is rounded, so that a small count
/// lasts as long as a large one.
fn decayed(count: u16, windows: u32) -> u16 {
    /// After that many windows, nothing is left of the largest count.
    const ALL: u32 = 100;
    const SHIFT: u32 = 32;
    let whole = u64::from(count) << SHIFT;
    ((0..windows.min(ALL)).fold(whole, |count, _| count / 16 * 15) >> SHIFT) as u16
}
