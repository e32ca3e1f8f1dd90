//! Retry budgets, shared by many calls.
//!
//! If a service fails all its callers at once, three attempts for each call are three times the load, which may keep the
//! service from recovering. A budget lets a few failures be retried at any time, and many failures only as far as successes
//! pay for the retries (the SRE book, *Handling Overload* and *Addressing Cascading Failures*; gRPC A6; the retry quota of
//! the AWS SDKs).

use core::fmt;
use core::mem;
use core::time::Duration;

use crate::util::sync::{AtomicU64, Relaxed, try_update};

use self::lease_settings::LeaseSettings;
use self::leased::Leased;
use self::ratio::{Share, Windows};
use self::traffic::{MAX, SETTLED, Scale, State, TICK};

pub(crate) mod lease_settings;
pub(crate) mod leased;
pub(crate) mod ratio;
pub(crate) mod traffic;

/// A limit on the retries of all calls that share it: a token bucket in a `static`. It never limits first attempts.
///
/// A retry takes tokens. A success with the first attempt gives some back, and a retry that succeeds gives back the
/// tokens that it took. If there are not enough tokens for a retry, the call returns its failure at once and emits
/// [`GiveUp::Budget`](crate::event::GiveUp::Budget). The retry of an attempt that a [`Breaker`](crate::Breaker) has rejected takes
/// no tokens, because nothing was sent. If it fails, the next retry takes tokens as usual.
///
/// ```
/// use retry_runtime::{Budget, Policy, retry};
///
/// static API: Budget = Budget::new();
///
/// #[retry(budget = API)]
/// async fn fetch(url: &str) -> std::io::Result<String> {
///     # let _ = url;
///     // …
///     # Ok(String::new())
/// }
///
/// // Loops, requests and tower services share its tokens, through their policy.
/// const POLICY: Policy = Policy::new().budget(|| &API);
/// ```
///
/// With the [standard budget](Self::new), a service that fails every call receives at most 100 retries from each process, and
/// then as many requests as without retries. While nine of ten calls succeed, every failed call may be retried.
///
/// A budget counts only the calls of its process. For many processes that each send little, see [`leased`](Self::leased).
///
/// A budget is exact and lock-free: no update is lost, and no retry starts without its tokens. A success costs one
/// relaxed load while the bucket is full. For a ratio budget, see [`ratio`](Self::ratio). A budget takes about 1.4 KiB.
pub struct Budget {
    rule: Rule,
    /// The tokens of a bucket. Those of a leased budget, and those that follow the traffic, are a part of the word.
    tokens: AtomicU64,
    /// With `tokens` below this, a success may have tokens to give.
    full: u64,
    refusals: AtomicU64,
    /// The calls and the retries of a ratio budget.
    windows: Windows,
    lease: Leased,
}

/// The rule by which retries are funded.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
enum Rule {
    /// Successes fund retries, and the traffic limits their number.
    Scaled(Scale),
    /// Successes fund retries.
    Bucket { capacity: u32, scale: Scale },
    /// Calls fund retries.
    Ratio { percent: u8, reserve: u16, window: Duration },
}

const STANDARD: Scale = Scale { retry: 5, timeout: 20, success: 1 };

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

impl Budget {
    /// Creates the standard budget: a retry takes 5 tokens, or 20 after a timeout, and a success gives 1 back. The capacity follows
    /// the traffic of the process.
    ///
    /// The capacity is 15 tokens, which pay for three retries, and one more token for each call in ten seconds. It is at most 500
    /// tokens, from 485 calls in ten seconds on. The busiest ten seconds count, and a sixteenth of their calls is lost with each
    /// ten seconds after that, half of them in two minutes. The budget starts with 15 tokens, and each success makes room for the token
    /// that it gives. A timeout takes at most a third of the capacity, but not less than another retry.
    ///
    /// A large process has 100 retries for an outage, and a small one three. That is not sufficient for a process that makes few
    /// calls and then very many at the same time: give it a fixed [`capacity`](Self::capacity).
    ///
    /// A success costs one load while the bucket is full and the process makes at least 485 calls in ten seconds. Calls of smaller
    /// processes read the clock. After a failure, a full budget keeps its capacity for one more second, within which a large
    /// process makes enough calls to keep it.
    #[must_use]
    pub const fn new() -> Self {
        Self::of(Rule::Scaled(STANDARD), None)
    }

    /// Creates a ratio budget: in each window of time, it allows one retry for each of `percent` % of the calls that were
    /// made in the window so far, and `reserve` retries on top. Unused retries are not carried over to the next window.
    /// A call whose first attempt is its last because of the deadline of a [caller](crate::Deadline) outside this process does
    /// not count: it may have sent nothing.
    ///
    /// Use it if you need a fixed ratio for capacity planning. It has a weakness: it allows retries even while no call succeeds. With
    /// the ratio p, a service that freezes while it uses more than 1/(1+p) of its capacity does not recover by itself. For 20
    /// percent, that is the case above 83 % of its capacity.
    ///
    /// No window pays for more retries than its calls and the reserve allow, and each call counts exactly once. To spare the clock,
    /// some successes of a busy thread count in the window before, where they pay for nothing: less than an eighth of the calls of
    /// that window, and at most 63 for each of eight counters.
    ///
    /// # Panics
    ///
    /// Panics if `percent` is above 100, if `percent` and `reserve` are both 0, or if `window` is shorter than a
    /// millisecond.
    #[must_use]
    #[track_caller]
    pub const fn ratio(percent: u8, reserve: u16, window: Duration) -> Self {
        assert!(percent <= 100, "a ratio budget lets through at most as many retries as there are calls: 100 percent");
        assert!(percent > 0 || reserve > 0, "a budget without a ratio and without a reserve lets no retry through");
        assert!(window.as_millis() > 0, "a `window` shorter than a millisecond holds no calls: give it some seconds");
        Self::of(Rule::Ratio { percent, reserve, window }, None)
    }

    const fn of(rule: Rule, lease: Option<LeaseSettings>) -> Self {
        let (tokens, full, lease) = match (rule, lease) {
            (Rule::Bucket { capacity, scale: Scale { retry, .. } }, Some(settings)) => {
                (leased::full(settings.reserve_tokens(retry)), leased::FULL, Some((settings, capacity, retry)))
            }
            (Rule::Bucket { capacity, .. }, None) => (capacity as u64, capacity as u64, None),
            (Rule::Scaled(scale), _) => (scale.first(), SETTLED, None),
            (Rule::Ratio { .. }, _) => (0, 0, None),
        };
        Self {
            rule,
            tokens: AtomicU64::new(tokens),
            full,
            refusals: AtomicU64::new(0),
            windows: Windows::new(),
            lease: match lease {
                Some((settings, capacity, retry)) => Leased::on(settings, capacity, retry),
                None => Leased::off(),
            },
        }
    }

    /// The same budget, without its state, with these leases.
    #[track_caller]
    pub(crate) const fn with_leases(self, settings: LeaseSettings) -> Self {
        let scale = self.scale();
        // The pool does not follow the traffic of one of its processes.
        let capacity = if let Some(capacity) = self.fixed_capacity() { capacity } else { MAX as u32 };
        self.rebuilt(Some(capacity), scale, Some(settings))
    }

    pub(crate) const fn lease(&self) -> &Leased {
        &self.lease
    }

    /// The word with the tokens of a leased budget.
    pub(crate) const fn word(&self) -> &AtomicU64 {
        &self.tokens
    }

    /// Sets a fixed capacity: the largest number of tokens, which is also their number at the start. Defaults to a capacity that
    /// follows the traffic, from 15 to 500 tokens: see [`new`](Self::new).
    ///
    /// The capacity divided by the cost of a retry is the number of retries during an outage, until the budget stops them.
    ///
    /// Each process has its own tokens, so many processes have [many retries
    /// together](crate::guide::load#limits-of-a-budget-per-process). If they send little each, let them share one
    /// [`leased`](Self::leased) budget, whose capacity is that of all processes.
    ///
    /// # Panics
    ///
    /// Panics if the capacity is below the cost of one retry, and for a ratio budget.
    #[must_use]
    #[track_caller]
    pub const fn capacity(self, tokens: u32) -> Self {
        let scale = self.scale();
        self.bucket(Some(tokens), scale)
    }

    /// Sets the number of tokens that a retry takes. Defaults to 5. Without a fixed [`capacity`](Self::capacity), the smallest capacity
    /// is three times the cost.
    ///
    /// # Panics
    ///
    /// Panics if it is 0 or above the largest capacity, and for a ratio budget.
    #[must_use]
    #[track_caller]
    pub const fn retry_cost(self, tokens: u16) -> Self {
        let scale = Scale { retry: tokens, ..self.scale() };
        let capacity = self.fixed_capacity();
        self.bucket(capacity, scale)
    }

    /// Sets the number of tokens that a retry after a timeout takes. Defaults to 20. A cost above the capacity counts as
    /// the capacity. Without a fixed [`capacity`](Self::capacity), a cost above a third of it counts as that third, or as the cost of
    /// another retry if that is more. While a [leased](Self::leased) budget has no lease, a timeout takes no more than another failure.
    ///
    /// A timeout is a sign of a service that is too slow, and another request makes it slower.
    ///
    /// # Panics
    ///
    /// Panics if it is 0, and for a ratio budget.
    #[must_use]
    #[track_caller]
    pub const fn timeout_cost(self, tokens: u16) -> Self {
        let scale = Scale { timeout: tokens, ..self.scale() };
        let capacity = self.fixed_capacity();
        self.bucket(capacity, scale)
    }

    /// Sets the number of tokens that a success with the first attempt gives back. Defaults to 1.
    ///
    /// Without a fixed [`capacity`](Self::capacity), it grows by this number with each call.
    ///
    /// The gain divided by the cost of a retry is the share of calls that can be retried permanently. By default, it is
    /// one in five.
    ///
    /// # Panics
    ///
    /// Panics for a ratio budget.
    #[must_use]
    #[track_caller]
    pub const fn success_gain(self, tokens: u16) -> Self {
        let scale = Scale { success: tokens, ..self.scale() };
        let capacity = self.fixed_capacity();
        self.bucket(capacity, scale)
    }

    #[track_caller]
    const fn scale(&self) -> Scale {
        match self.rule {
            Rule::Scaled(scale) | Rule::Bucket { scale, .. } => scale,
            Rule::Ratio { .. } => panic!("a ratio budget has no tokens: start with `Budget::new`"),
        }
    }

    /// The capacity, unless it follows the traffic.
    const fn fixed_capacity(&self) -> Option<u32> {
        if let Rule::Bucket { capacity, .. } = self.rule { Some(capacity) } else { None }
    }

    /// The same budget, without its state. Without a capacity, it follows the traffic.
    #[track_caller]
    const fn bucket(self, capacity: Option<u32>, scale: Scale) -> Self {
        let settings = self.lease.settings().copied();
        self.rebuilt(capacity, scale, settings)
    }

    #[track_caller]
    const fn rebuilt(self, capacity: Option<u32>, scale: Scale, lease: Option<LeaseSettings>) -> Self {
        let Scale { retry, timeout, .. } = scale;
        assert!(retry > 0 && timeout > 0, "a retry that takes no tokens is not limited: let it take at least 1");
        let largest = if let Some(capacity) = capacity { capacity } else { MAX as u32 };
        assert!(
            retry as u32 <= largest,
            "a budget whose capacity does not pay for one retry lets none through: raise it, or let a retry take less"
        );
        if let Some(settings) = &lease {
            settings.check(retry);
        }
        // A value with a destructor cannot be dropped in a `const fn`. There is nothing to free: the start of the
        // windows has not been initialized.
        mem::forget(self);
        let rule = match capacity {
            Some(capacity) => Rule::Bucket { capacity, scale },
            None => Rule::Scaled(scale),
        };
        Self::of(rule, lease)
    }

    /// The number of tokens left. For a ratio budget, the number of retries left in the current window. For a leased budget, the
    /// tokens of the process, without those in the pool.
    #[must_use]
    pub fn tokens(&self) -> u32 {
        match self.rule {
            Rule::Scaled(scale) => State::of(self.tokens.load(Relaxed)).tokens(scale, self.tick()).into(),
            Rule::Bucket { .. } if self.lease.is_on() => self.lease.tokens(&self.tokens),
            Rule::Bucket { .. } => self.tokens.load(Relaxed) as u32,
            Rule::Ratio { percent, reserve, window } => {
                self.windows.left(Share { percent, reserve }, self.windows.number(window))
            }
        }
    }

    /// The number of retries that were not made for lack of tokens, since the start of the process.
    #[must_use]
    pub fn refusals(&self) -> u64 {
        self.refusals.load(Relaxed)
    }

    /// Counts a call whose first attempt has failed.
    pub(crate) fn count_call(&self) {
        self.count(true);
    }

    /// Counts a call, with the current time if `is_exact`. Not inlined, because a bucket has no use for it.
    #[inline(never)]
    fn count(&self, is_exact: bool) {
        match self.rule {
            Rule::Scaled(scale) => {
                let tick = self.tick();
                self.update(|word| Some(State::of(word).called(scale, tick).word()));
            }
            Rule::Bucket { .. } => {}
            Rule::Ratio { window, .. } => self.windows.count(is_exact, || self.windows.number(window)),
        }
    }

    /// Takes the tokens for a retry, of a budget whose capacity follows the traffic.
    fn pay_scaled(&self, scale: Scale, timed_out: bool) -> Option<u16> {
        let (tick, mut paid) = (self.tick(), None);
        let is_paid = self.update(|word| {
            let (state, cost) = State::of(word).paid(scale, tick, timed_out)?;
            paid = Some(cost);
            Some(state.word())
        });
        paid.filter(|_| is_paid)
    }

    /// Gives tokens back for a success with the first attempt, unless the state is settled.
    #[inline(never)]
    fn count_success(&self, scale: Scale) {
        let mut now = None;
        self.update(|word| {
            let state = State::of(word);
            // In a busy process, most successes do not need the clock.
            let tick = (!state.has_enough_calls(scale)).then(|| *now.get_or_insert_with(|| self.tick()));
            let next = state.succeeded(scale, tick);
            (next != state).then(|| next.word())
        });
    }

    /// The current time of a budget whose capacity follows the traffic.
    fn tick(&self) -> u32 {
        self.windows.number(Duration::from_millis(TICK))
    }

    /// Pays for a retry. Returns the number of tokens taken, or `None` if there are not enough.
    pub(crate) fn pay(&self, timed_out: bool) -> Option<u16> {
        let paid = match self.rule {
            Rule::Scaled(scale) => self.pay_scaled(scale, timed_out),
            Rule::Bucket { capacity, scale: Scale { retry, timeout, .. } } => {
                // A cost above the capacity could never be paid, so it is reduced to the capacity.
                let most = self.lease.largest_cost().unwrap_or(capacity);
                let timeout = if most < timeout.into() { most as u16 } else { timeout };
                let cost = if timed_out { timeout } else { retry };
                if self.lease.is_on() {
                    // The reserve is a number of retries, whatever their failures.
                    self.lease.pay(&self.tokens, cost, cost.min(retry))
                } else {
                    self.update(|tokens| tokens.checked_sub(cost.into())).then_some(cost)
                }
            }
            Rule::Ratio { percent, reserve, window } => {
                // A ratio budget takes no tokens that could be given back.
                self.windows.pay(Share { percent, reserve }, self.windows.number(window)).then_some(0)
            }
        };
        if paid.is_none() {
            self.refusals.fetch_add(1, Relaxed);
        }
        paid
    }

    /// Gives tokens back for a call that succeeded with its first attempt.
    #[inline]
    pub(crate) fn succeeded_at_once(&self) {
        match self.rule {
            Rule::Scaled(scale) => {
                if self.tokens.load(Relaxed) < SETTLED {
                    self.count_success(scale);
                }
            }
            Rule::Bucket { scale, .. } => self.give_back(scale.success),
            Rule::Ratio { .. } => self.count(false),
        }
    }

    /// Gives tokens back, because a retry has succeeded, or because a retry that was paid for is not made.
    #[inline]
    pub(crate) fn give_back(&self, tokens: u16) {
        // A ratio budget is always full.
        if self.tokens.load(Relaxed) < self.full && tokens > 0 {
            self.fill(tokens);
        }
    }

    /// Gives tokens to a bucket that is not full.
    fn fill(&self, tokens: u16) {
        if let Rule::Scaled(scale) = self.rule {
            self.update(|word| Some(State::of(word).given_back(scale, tokens).word()));
        } else if self.lease.is_on() {
            self.lease.give_back(&self.tokens, tokens);
        } else {
            self.update(|now| (now < self.full).then(|| self.full.min(now + u64::from(tokens))));
        }
    }

    /// Changes the tokens of a bucket, and returns true, unless `change` returns `None`. `Relaxed` is sufficient, because
    /// they are the only shared value: no other memory has to become visible with them.
    fn update(&self, change: impl FnMut(u64) -> Option<u64>) -> bool {
        try_update(&self.tokens, Relaxed, Relaxed, change).is_ok()
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget")
            .field("rule", &self.rule)
            .field("tokens", &self.tokens())
            .field("refusals", &self.refusals())
            .finish()
    }
}
