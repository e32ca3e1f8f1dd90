//! Hedged attempts: a second one for an answer that is late, while the first goes on.
//!
//! It is the slowest few of a hundred calls that a user waits for. Where an attempt that takes longer than most is joined by another one,
//! the first answer of the two is seldom late (J. Dean and L. Barroso, *The Tail at Scale*, 2013). That costs load, which a
//! [`Budget`] bounds.

use core::fmt;
use core::time::Duration;

use crate::policy::budget::Budget;
use crate::util::switch::is_enabled;

pub(crate) mod attempt;
pub(crate) mod copies;
#[cfg(feature = "tokio")]
mod run;

/// Makes an attempt again, beside the one that runs, when that is late. The first good answer wins, and the others are dropped.
///
/// Only for what may be done twice at the same time: every copy is sent.
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
    pub(crate) most: u32,
    budget: Option<fn() -> &'static Budget>,
}

const MOST: u32 = 2;

impl Hedge {
    /// Another copy each time that this long has passed without a good answer. Good values are near the time that 95 of a hundred
    /// attempts take.
    ///
    /// # Panics
    ///
    /// When it is zero.
    #[track_caller]
    pub const fn after(delay: Duration) -> Self {
        assert!(!delay.is_zero(), "a hedge after no time sends every request twice: give the first one some time");
        Self { delay, most: MOST, budget: None }
    }

    /// The most copies of an attempt, the first one included; 2 if not said.
    ///
    /// # Panics
    ///
    /// When it is below 2.
    #[track_caller]
    pub const fn max(self, copies: u32) -> Self {
        assert!(copies >= 2, "a hedge is a second copy: let there be at least 2");
        Self { most: copies, ..self }
    }

    /// The budget that pays for the copies after the first: each takes what a retry takes. One for which there are not enough tokens
    /// is not made. None if not said.
    pub const fn budget(self, budget: fn() -> &'static Budget) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// Pays for another copy from its own budget, or else from this one. `None` if there may be no other copy.
    pub(crate) fn pay(&self, budget: Option<fn() -> &'static Budget>) -> Option<Paid> {
        if !is_enabled() {
            return None;
        }
        let Some(budget) = self.budget.or(budget) else { return Some(Paid(None)) };
        Some(Paid(Some((budget(), budget().pay(false)?))))
    }
}

/// Tokens for a copy, which go back to the budget if the copy is not made.
pub(crate) struct Paid(Option<(&'static Budget, u16)>);

impl Paid {
    /// The copy is made.
    pub(crate) fn spend(mut self) {
        self.0 = None;
    }
}

impl Drop for Paid {
    fn drop(&mut self) {
        if let Some((budget, tokens)) = self.0 {
            budget.give_back(tokens);
        }
    }
}

impl fmt::Debug for Hedge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { delay, most, budget: _ } = self;
        f.debug_struct("Hedge").field("delay", delay).field("most", most).finish_non_exhaustive()
    }
}
