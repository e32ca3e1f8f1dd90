//! The tokens of a leased budget: a reserve of the process, and a lease from the pool that many processes share.
//!
//! Without a lease, the budget holds at most its reserve. A lease raises that limit, until it is void. Tokens beyond the limit,
//! which successes give, are credit for the pool.

use core::task::Waker;
use std::sync::OnceLock;

use super::lease_settings::LeaseSettings;
use crate::util::clock::Instant;
use crate::util::sync::{AcqRel, Acquire, AtomicU64, Mutex, Relaxed, Release, lock, try_update};

/// The word of a leased budget compares as less than this if a success has something to do.
pub(crate) const FULL: u64 = 1 << 63;

const COLLECTING: u64 = 1 << 62;
const LIMIT_SHIFT: u32 = 31;
const MASK: u64 = (1 << LIMIT_SHIFT) - 1;

/// The tokens of a leased budget. They share one word, so that no update sees a part of another.
#[derive(Clone, Copy)]
struct Word {
    tokens: u32,
    /// The reserve, or what the lease allows.
    limit: u32,
    /// True if successes that find the tokens at their limit become credit.
    is_collecting: bool,
}

impl Word {
    const fn of(word: u64) -> Self {
        Self {
            tokens: (word & MASK) as u32,
            limit: (word >> LIMIT_SHIFT & MASK) as u32,
            is_collecting: word & COLLECTING != 0,
        }
    }

    const fn pack(self) -> u64 {
        let Self { tokens, limit, is_collecting } = self;
        let flag = match (is_collecting, tokens >= limit) {
            (true, _) => COLLECTING,
            (false, true) => FULL,
            (false, false) => 0,
        };
        flag | (limit as u64) << LIMIT_SHIFT | tokens as u64
    }

    /// The tokens without the lease.
    fn without_lease(self, reserve: u32) -> Self {
        Self { tokens: self.tokens.min(reserve), limit: reserve, ..self }
    }
}

/// The word of a budget that has its reserve and no lease.
pub(crate) const fn full(reserve: u32) -> u64 {
    Word { tokens: reserve, limit: reserve, is_collecting: false }.pack()
}

/// The part of a budget that only a leased one uses.
pub(crate) struct Leased {
    settings: Option<LeaseSettings>,
    /// The largest number of tokens in the pool.
    capacity: u32,
    reserve: u32,
    /// The largest number of tokens, with a lease.
    size: u32,
    /// Tokens for the pool.
    credit: AtomicU64,
    /// The time from which `void_at` counts.
    start: OnceLock<Instant>,
    /// The milliseconds at which the lease is void. Written before the tokens of that lease.
    void_at: AtomicU64,
    demand: Demand,
    pub(crate) counts: LeaseCounts,
}

/// The failures that ask for a lease, and the task that is to take it.
struct Demand {
    is_wanted: AtomicU64,
    /// 1 while there is a task.
    is_claimed: AtomicU64,
    waker: Mutex<Option<Waker>>,
}

/// Totals since the start of the process.
pub(crate) struct LeaseCounts {
    pub(crate) leased: AtomicU64,
    pub(crate) credited: AtomicU64,
    pub(crate) asked: AtomicU64,
    pub(crate) failed: AtomicU64,
}

impl Leased {
    /// The part of a budget without leases.
    pub(crate) const fn off() -> Self {
        Self::new(None, 0, 0, 0)
    }

    /// The part of a budget with leases. With a lease, it holds at least one retry more than its reserve: otherwise the lease could not
    /// be told from the reserve, so every failure would ask for one, and none would ever be void.
    pub(crate) const fn on(settings: LeaseSettings, capacity: u32, retry_cost: u16) -> Self {
        let reserve = settings.reserve_tokens(retry_cost);
        let size = if capacity < settings.size as u32 { capacity } else { settings.size as u32 };
        let least = reserve + retry_cost as u32;
        Self::new(Some(settings), capacity, reserve, if size < least { least } else { size })
    }

    const fn new(settings: Option<LeaseSettings>, capacity: u32, reserve: u32, size: u32) -> Self {
        Self {
            settings,
            capacity,
            reserve,
            size,
            credit: AtomicU64::new(0),
            start: OnceLock::new(),
            void_at: AtomicU64::new(0),
            demand: Demand { is_wanted: AtomicU64::new(0), is_claimed: AtomicU64::new(0), waker: Mutex::new(None) },
            counts: LeaseCounts {
                leased: AtomicU64::new(0),
                credited: AtomicU64::new(0),
                asked: AtomicU64::new(0),
                failed: AtomicU64::new(0),
            },
        }
    }

    pub(crate) const fn is_on(&self) -> bool {
        self.settings.is_some()
    }

    pub(crate) const fn capacity(&self) -> u32 {
        self.capacity
    }

    pub(crate) const fn settings(&self) -> Option<&LeaseSettings> {
        self.settings.as_ref()
    }

    /// The largest number of tokens that a retry may cost. `None` for a budget without leases.
    pub(crate) const fn largest_cost(&self) -> Option<u32> {
        match self.settings {
            Some(_) if self.capacity < self.size => Some(self.capacity),
            Some(_) => Some(self.size),
            None => None,
        }
    }

    /// The number of tokens in the word of the budget.
    pub(crate) fn tokens(&self, word: &AtomicU64) -> u32 {
        self.valid(word.load(Acquire), self.now()).tokens
    }

    /// The number of tokens that wait to be added to the pool.
    pub(crate) fn credit(&self) -> u32 {
        self.credit.load(Relaxed) as u32
    }

    /// Takes tokens for a retry: `cost`, or `reserve_cost` without a lease. Returns their number, or `None` if too few are
    /// left. Asks for a lease if few are left.
    pub(crate) fn pay(&self, word: &AtomicU64, cost: u16, reserve_cost: u16) -> Option<u16> {
        let now = self.now();
        let (mut left, mut taken) = (Word::of(0), cost);
        let paid = try_update(word, AcqRel, Acquire, |seen| {
            left = self.valid(seen, now);
            taken = if left.limit > self.reserve { cost } else { reserve_cost };
            left.tokens = left.tokens.checked_sub(taken.into())?;
            Some(left.pack())
        });
        let is_low = left.tokens < self.size / 2;
        if paid.is_err() || is_low || left.limit <= self.reserve {
            self.demand.raise();
        }
        paid.is_ok().then_some(taken)
    }

    /// Gives tokens back. Those beyond the limit become credit while the pool is not full.
    #[cold]
    pub(crate) fn give_back(&self, word: &AtomicU64, tokens: u16) {
        let mut credit = 0;
        let _ = try_update(word, AcqRel, Acquire, |seen| {
            let mut word = Word::of(seen);
            let filled = u32::from(tokens).min(word.limit.saturating_sub(word.tokens));
            credit = if word.is_collecting { u32::from(tokens) - filled } else { 0 };
            word.tokens += filled;
            (filled > 0).then(|| word.pack())
        });
        if credit > 0 {
            self.add_credit(credit);
        }
    }

    fn add_credit(&self, tokens: u32) {
        let most = self.capacity.into();
        let _ = try_update(&self.credit, Relaxed, Relaxed, |credit| {
            (credit < most).then(|| most.min(credit + u64::from(tokens)))
        });
    }

    /// The tokens at this time: without the lease if it is void.
    fn valid(&self, seen: u64, now: u64) -> Word {
        let word = Word::of(seen);
        // The word has been read before. So this is the time of its lease, or of a later one.
        if word.limit > self.reserve && now >= self.void_at.load(Relaxed) {
            word.without_lease(self.reserve)
        } else {
            word
        }
    }

    /// The milliseconds since the first use of the budget.
    fn now(&self) -> u64 {
        self.millis(Instant::now())
    }

    fn millis(&self, at: Instant) -> u64 {
        let start = *self.start.get_or_init(|| at);
        u64::try_from(at.saturating_duration_since(start).as_millis()).unwrap_or(u64::MAX)
    }
}

/// The task that takes the leases.
impl Leased {
    /// True if the caller is the only task that takes leases for this budget.
    pub(crate) fn claim(&self) -> bool {
        self.demand.is_claimed.compare_exchange(0, 1, AcqRel, Relaxed).is_ok()
    }

    /// The task has ended. A lease stays until it is void.
    pub(crate) fn release(&self, word: &AtomicU64) {
        self.collect(word, false);
        self.demand.is_claimed.store(0, Release);
    }

    pub(crate) fn is_claimed(&self) -> bool {
        self.demand.is_claimed.load(Relaxed) == 1
    }

    /// True once a failure has asked for a lease. Otherwise registers the waker for that.
    pub(crate) fn is_demanded(&self, waker: &Waker) -> bool {
        self.demand.is_raised(waker)
    }

    /// Ends the demand, and returns whether there was one.
    pub(crate) fn take_demand(&self) -> bool {
        self.demand.is_wanted.compare_exchange(1, 0, AcqRel, Relaxed).is_ok()
    }

    /// The number of tokens that the largest lease would add now.
    pub(crate) fn wanted(&self, word: &AtomicU64) -> u32 {
        self.size.saturating_sub(self.tokens(word))
    }

    /// Takes the credit, to send it to the pool.
    pub(crate) fn take_credit(&self) -> u32 {
        try_update(&self.credit, Relaxed, Relaxed, |_| Some(0)).unwrap_or(0) as u32
    }

    /// Adds the tokens of a lease that was asked for at this time. It is void `valid_for` later.
    pub(crate) fn grant(&self, word: &AtomicU64, asked: Instant, settings: &LeaseSettings, granted: u32) {
        // An old lease must not become valid again.
        let _ = try_update(word, AcqRel, Acquire, |seen| Some(self.valid(seen, self.now()).pack()));
        let valid_for = u64::try_from(settings.valid_for.as_millis()).unwrap_or(u64::MAX);
        self.void_at.store(self.millis(asked).saturating_add(valid_for), Relaxed);
        let mut beyond = 0;
        let _ = try_update(word, AcqRel, Acquire, |seen| {
            let mut word = Word::of(seen);
            let tokens = word.tokens.saturating_add(granted);
            // Successes may have filled a part of it since then.
            beyond = tokens.saturating_sub(self.size);
            word.tokens = tokens.min(self.size);
            word.limit = word.limit.max(word.tokens);
            Some(word.pack())
        });
        if beyond > 0 {
            self.add_credit(beyond);
        }
        self.counts.leased.fetch_add(granted.into(), Relaxed);
    }

    /// Ends the lease. What is left of it becomes credit, unless it is void.
    pub(crate) fn end_lease(&self, word: &AtomicU64) {
        let now = self.now();
        let mut unspent = 0;
        let _ = try_update(word, AcqRel, Acquire, |seen| {
            let valid = self.valid(seen, now);
            let without = valid.without_lease(self.reserve);
            unspent = valid.tokens - without.tokens;
            Some(without.pack())
        });
        if unspent > 0 {
            self.add_credit(unspent);
        }
    }

    /// Sets whether successes beyond the limit become credit. If not, drops the credit.
    pub(crate) fn collect(&self, word: &AtomicU64, is_collecting: bool) {
        let _ = try_update(word, AcqRel, Acquire, |seen| Some(Word { is_collecting, ..Word::of(seen) }.pack()));
        if !is_collecting {
            self.take_credit();
        }
    }
}

impl Demand {
    fn raise(&self) {
        if self.is_wanted.load(Relaxed) == 0 && self.is_wanted.compare_exchange(0, 1, AcqRel, Relaxed).is_ok() {
            // Taken first: a waker runs foreign code, so not under the lock.
            let waker = lock(&self.waker).take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    fn is_raised(&self, waker: &Waker) -> bool {
        let new = waker.clone();
        let old = lock(&self.waker).replace(new);
        drop(old);
        // After the lock: a failure that raises it later finds the waker.
        self.is_wanted.load(Acquire) == 1
    }
}
