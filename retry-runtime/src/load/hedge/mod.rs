//! Hedged attempts: when an attempt is late, a second copy of it starts while the first one goes on.
//!
//! If an attempt that takes longer than most is joined by a copy, the faster of the two is seldom late (J. Dean and
//! L. Barroso, *The Tail at Scale*, 2013). The copies add load, which a [`Budget`] bounds.

use core::fmt;
use core::time::Duration;

use crate::policy::budget::Budget;
use crate::util::switch::is_enabled;

pub(crate) mod attempt;
pub(crate) mod copies;
#[cfg(feature = "tokio")]
mod run;

/// A hedging policy: when an attempt is late, starts another copy of it. The first success wins, and the other copies are
/// dropped.
///
/// Every copy is sent, so use it only for operations that may run twice at the same time.
///
/// ```
/// use std::io;
/// use std::time::Duration;
/// use retry_runtime::{Budget, Hedge};
///
/// static API: Budget = Budget::new();
/// const HEDGE: Hedge = Hedge::after(Duration::from_millis(50)).budget(|| &API);
///
/// async fn read(replica: u32) -> io::Result<String> {
///     # let _ = replica;
///     # Ok(String::new())
///     // …
/// }
///
/// # async fn f() -> io::Result<String> {
/// HEDGE.run(|copy| read(copy)).await
/// # }
/// ```
#[derive(Clone, Copy)]
#[must_use]
pub struct Hedge {
    pub(crate) delay: Duration,
    pub(crate) max: u32,
    budget: Option<fn() -> &'static Budget>,
}

const DEFAULT_MAX: u32 = 2;

impl Hedge {
    /// Creates a policy that starts another copy each time `delay` has passed without a success. A good value is close to the
    /// 95th percentile of the time that an attempt takes.
    ///
    /// # Panics
    ///
    /// If `delay` is zero.
    #[track_caller]
    pub const fn after(delay: Duration) -> Self {
        assert!(!delay.is_zero(), "`hedge` must be greater than zero: a zero delay sends every request twice");
        Self { delay, max: DEFAULT_MAX, budget: None }
    }

    /// Sets the maximum number of copies of an attempt, the first one included. Defaults to 2.
    ///
    /// # Panics
    ///
    /// If `copies` is below 2.
    #[track_caller]
    pub const fn max(self, copies: u32) -> Self {
        assert!(copies >= 2, "a hedge needs at least 2 copies: the first copy counts too");
        Self { max: copies, ..self }
    }

    /// Sets the budget that pays for the copies after the first. Each takes as many tokens as a retry. A copy for which
    /// there are not enough tokens is not started. Defaults to no budget.
    pub const fn budget(self, budget: fn() -> &'static Budget) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// Pays for another copy from the hedge's own budget, or else from `budget`. Returns `None` if no copy may be started:
    /// retries are switched off, or there are not enough tokens.
    pub(crate) fn pay<'b>(&self, budget: Option<&'b Budget>) -> Option<Paid<'b>> {
        if !is_enabled() {
            return None;
        }
        let Some(budget) = self.budget.map(|budget| budget()).or(budget) else { return Some(Paid(None)) };
        Some(Paid(Some((budget, budget.pay(false)?))))
    }
}

/// The tokens for a copy. They go back to the budget if the copy is not started.
pub(crate) struct Paid<'b>(Option<(&'b Budget, u16)>);

impl Paid<'_> {
    /// The copy has started: its tokens do not go back.
    pub(crate) fn spend(mut self) {
        self.0 = None;
    }
}

impl Drop for Paid<'_> {
    fn drop(&mut self) {
        if let Some((budget, tokens)) = self.0 {
            budget.give_back(tokens);
        }
    }
}

impl fmt::Debug for Hedge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { delay, max, budget: _ } = self;
        f.debug_struct("Hedge").field("delay", delay).field("max", max).finish_non_exhaustive()
    }
}
