//! A budget for retries, shared by many calls.
//!
//! Backoff and jitter spread retries; they do not make them fewer. Where a service fails all its callers at once, three
//! attempts each are three times the load, and keep it from coming back. A budget is what bounds that: it lets a few failures
//! be retried at once, and of many only as many as successes pay for (the SRE book, *Handling Overload* and *Addressing
//! Cascading Failures*; gRPC A6; the retry quota of AWS's SDKs).

use core::fmt;
use core::mem;
use core::time::Duration;
use std::sync::OnceLock;

use crate::util::clock::Instant;
use crate::util::sync::{AtomicU64, Relaxed};

/// Limits the retries of all calls that share it, and never a first attempt: a token bucket in a `static`.
///
/// A retry takes tokens, a success gives some back, and a success after a retry gives back what that retry took. A failure for
/// which there are not enough tokens comes back at once; the event says [`GiveUp::Budget`](crate::event::GiveUp::Budget).
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
/// // Loops by hand, requests and tower's services, by the policy; they draw on the same tokens.
/// const POLICY: Policy = Policy::new().budget(|| &API);
/// ```
///
/// With the [standard budget](Self::new), a service that fails every call is sent at most 100 retries, and then as many calls as
/// without retries. While nine of ten calls succeed, all the others may be retried.
///
/// A budget knows what this process sends. Among very many processes that each send little, each has its tokens, and together
/// they bound little: see [`capacity`](Self::capacity).
///
/// Exact and lock-free: no update is lost, and no retry is let through without its tokens. A success costs one relaxed load
/// while the bucket is full.
pub struct Budget {
    rule: Rule,
    state: AtomicU64,
    refusals: AtomicU64,
    /// When the first window began.
    start: OnceLock<Instant>,
}

/// When there are tokens.
#[derive(Clone, Copy, Debug)]
enum Rule {
    /// The state is the number of tokens. Successes fund retries.
    Bucket { capacity: u32, retry: u16, timeout: u16, success: u16 },
    /// The state is the number of the window in its upper half, and what is left in it in its lower half, in hundredths of a
    /// retry. Calls fund retries.
    Ratio { percent: u8, reserve: u16, window: Duration },
}

const CAPACITY: u32 = 500;
const RETRY: u16 = 5;
const TIMEOUT: u16 = 20;
const SUCCESS: u16 = 1;

/// What a retry costs a ratio budget: one whole retry, in hundredths.
const WHOLE: u32 = 100;

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

impl Budget {
    /// The standard budget: 500 tokens, of which a retry takes 5, or 20 after a timeout, and a success gives 1 back.
    #[must_use]
    pub const fn new() -> Self {
        Self::of(Rule::Bucket { capacity: CAPACITY, retry: RETRY, timeout: TIMEOUT, success: SUCCESS }, CAPACITY as u64)
    }

    /// The usual ratio budget: in each window of time, retries are at most `percent` of the calls that were made in it so far,
    /// and `reserve` on top. Nothing is saved up for the next window.
    ///
    /// For those who want a figure to reason with. Mind its weakness: it lets retries through while nothing succeeds. A service
    /// that is used above a share of 1/(1+p) of its capacity when it freezes stays overloaded by p, and does not come back by
    /// itself: above 83 % for 20 percent. The standard budget has no such point.
    ///
    /// Each call reads the clock and writes the budget once.
    ///
    /// # Panics
    ///
    /// When `percent` is above 100, when neither it nor `reserve` lets a retry through, or when `window` is shorter than a
    /// millisecond.
    #[must_use]
    #[track_caller]
    pub const fn ratio(percent: u8, reserve: u16, window: Duration) -> Self {
        assert!(percent <= 100, "a ratio budget lets through at most as many retries as there are calls: 100 percent");
        assert!(percent > 0 || reserve > 0, "a budget without a ratio and without a reserve lets no retry through");
        assert!(window.as_millis() > 0, "a `window` shorter than a millisecond holds no calls: give it some seconds");
        // The reserve of the window that the process starts in.
        Self::of(Rule::Ratio { percent, reserve, window }, reserve as u64 * WHOLE as u64)
    }

    const fn of(rule: Rule, state: u64) -> Self {
        Self { rule, state: AtomicU64::new(state), refusals: AtomicU64::new(0), start: OnceLock::new() }
    }

    /// How many tokens there are at most, and at first; 500 if not said. Divided by what a retry takes, it is the number of
    /// retries that an outage is sent before the budget stops them.
    ///
    /// Each process has its own. Of 1000 calls a second that all fail, each retried three times at most, one process makes
    /// 1010 requests a second in the first ten seconds, ten make 1100 and a hundred 2000. A thousand make 4000 for twenty
    /// seconds and ten thousand for four minutes, as without a budget, until they have sent a million retries (`cargo run
    /// --release -p retry-storm`).
    ///
    /// Where many processes send little each, let them have less: with 10 tokens, ten thousand send 20,000
    /// retries. Or let what they share limit them, a gateway or the server itself, and give calls a
    /// [`deadline`](crate::Policy::deadline).
    ///
    /// # Panics
    ///
    /// When it does not pay for one retry, and for a ratio budget.
    #[must_use]
    #[track_caller]
    pub const fn capacity(self, tokens: u32) -> Self {
        let Rule::Bucket { retry, timeout, success, .. } = self.rule else { panic!("{}", NO_BUCKET) };
        self.bucket(tokens, retry, timeout, success)
    }

    /// What a retry takes; 5 if not said.
    ///
    /// # Panics
    ///
    /// When it is 0 or above the capacity, and for a ratio budget.
    #[must_use]
    #[track_caller]
    pub const fn retry_cost(self, tokens: u16) -> Self {
        let Rule::Bucket { capacity, timeout, success, .. } = self.rule else { panic!("{}", NO_BUCKET) };
        self.bucket(capacity, tokens, timeout, success)
    }

    /// What a retry after a timeout takes, at most all tokens that there can be; 20 if not said. A timeout tells of a service that is
    /// too slow, which another call makes slower.
    ///
    /// # Panics
    ///
    /// When it is 0, and for a ratio budget.
    #[must_use]
    #[track_caller]
    pub const fn timeout_cost(self, tokens: u16) -> Self {
        let Rule::Bucket { capacity, retry, success, .. } = self.rule else { panic!("{}", NO_BUCKET) };
        self.bucket(capacity, retry, tokens, success)
    }

    /// What a success with the first attempt gives back; 1 if not said. Divided by what a retry takes, it is the share of
    /// calls that can be retried for ever: one in five.
    ///
    /// # Panics
    ///
    /// For a ratio budget.
    #[must_use]
    #[track_caller]
    pub const fn success_gain(self, tokens: u16) -> Self {
        let Rule::Bucket { capacity, retry, timeout, .. } = self.rule else { panic!("{}", NO_BUCKET) };
        self.bucket(capacity, retry, timeout, tokens)
    }

    #[track_caller]
    const fn bucket(self, capacity: u32, retry: u16, timeout: u16, success: u16) -> Self {
        assert!(retry > 0 && timeout > 0, "a retry that takes no tokens is not limited: let it take at least 1");
        assert!(
            retry as u32 <= capacity,
            "a budget whose capacity does not pay for one retry lets none through: raise it, or let a retry take less"
        );
        // Its drop is no constant function; there is nothing to drop yet.
        mem::forget(self);
        Self::of(Rule::Bucket { capacity, retry, timeout, success }, capacity as u64)
    }

    /// How many tokens are left; of a ratio budget, how many retries the window has left.
    #[must_use]
    pub fn tokens(&self) -> u32 {
        let state = self.state.load(Relaxed);
        match self.rule {
            Rule::Bucket { .. } => state as u32,
            Rule::Ratio { reserve, window, .. } => Window::of(state).at(self.number(window), reserve).left / WHOLE,
        }
    }

    /// How many retries there were no tokens for, since the start.
    #[must_use]
    pub fn refusals(&self) -> u64 {
        self.refusals.load(Relaxed)
    }

    /// A call has come to the end of its first attempt, well or not.
    #[inline]
    pub(crate) fn count_call(&self) {
        if let Rule::Ratio { percent, reserve, window } = self.rule {
            let number = self.number(window);
            self.update(|state| {
                let window = Window::of(state).at(number, reserve);
                Some(Window { left: window.left.saturating_add(percent.into()), ..window }.state())
            });
        }
    }

    /// Pays for a retry: gives what it took, or nothing where there is not enough.
    pub(crate) fn pay(&self, timed_out: bool) -> Option<u16> {
        let paid = match self.rule {
            Rule::Bucket { retry, timeout, capacity, .. } => {
                // More than there can be is all that there can be.
                let timeout = if capacity < timeout.into() { capacity as u16 } else { timeout };
                let cost = if timed_out { timeout } else { retry };
                self.update(|tokens| tokens.checked_sub(cost.into())).then_some(cost)
            }
            Rule::Ratio { reserve, window, .. } => {
                let number = self.number(window);
                let take = |state| {
                    let window = Window::of(state).at(number, reserve);
                    Some(Window { left: window.left.checked_sub(WHOLE)?, ..window }.state())
                };
                // Nothing is given back of it.
                self.update(take).then_some(0)
            }
        };
        if paid.is_none() {
            self.refusals.fetch_add(1, Relaxed);
        }
        paid
    }

    /// A call has succeeded with its first attempt.
    #[inline]
    pub(crate) fn succeeded_at_once(&self) {
        match self.rule {
            Rule::Bucket { success, .. } => self.give_back(success),
            Rule::Ratio { .. } => self.count_call(),
        }
    }

    /// A retry has succeeded, or is not made after it was paid for.
    #[inline]
    pub(crate) fn give_back(&self, tokens: u16) {
        if let Rule::Bucket { capacity, .. } = self.rule {
            let capacity = capacity.into();
            if self.state.load(Relaxed) < capacity {
                self.update(|now| (now < capacity).then(|| capacity.min(now + u64::from(tokens))));
            }
        }
    }

    /// The number of the window that it is now.
    fn number(&self, window: Duration) -> u32 {
        let elapsed = self.start.get_or_init(Instant::now).elapsed();
        // The window is a millisecond at least. After the last number there is but one window.
        u32::try_from(elapsed.as_millis() / window.as_millis()).unwrap_or(u32::MAX)
    }

    /// Whether `change` had a value for the state, which it then has. The tokens are all that is shared, so their own order is
    /// order enough.
    fn update(&self, change: impl FnMut(u64) -> Option<u64>) -> bool {
        self.state.fetch_update(Relaxed, Relaxed, change).is_ok()
    }
}

const NO_BUCKET: &str = "a ratio budget has no tokens: start with `Budget::new`";

/// A window of a ratio budget, and what is left in it, in hundredths of a retry.
#[derive(Clone, Copy)]
struct Window {
    number: u32,
    left: u32,
}

impl Window {
    const fn of(state: u64) -> Self {
        Self { number: (state >> 32) as u32, left: state as u32 }
    }

    const fn state(self) -> u64 {
        (self.number as u64) << 32 | self.left as u64
    }

    /// This one, if it is the window of that number, or else that one, which begins with its reserve.
    fn at(self, number: u32, reserve: u16) -> Self {
        // A thread that read the clock before the window changed is counted into the new one.
        if number > self.number { Self { number, left: u32::from(reserve) * WHOLE } } else { self }
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
