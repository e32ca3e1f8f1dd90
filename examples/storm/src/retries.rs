//! The compared ways to retry.

use std::cell::Cell;
use std::time::Duration;

use retry_runtime::{Budget, Policy};

use super::random;

/// A way to retry calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retries {
    /// One attempt.
    None,
    /// Up to three retries without a budget.
    Naive,
    /// A ratio budget with this percentage, and with a window and a reserve as in tower.
    Ratio(u8),
    /// The standard budget.
    Budget,
    /// The standard budget with this number of tokens.
    Capacity(u32),
}

/// The time that a client waits for a response.
const TIMEOUT: Duration = Duration::from_secs(1);

impl Retries {
    /// The ways that most plots compare.
    pub(super) const COMPARED: [Self; 5] = [Self::None, Self::Naive, Self::Ratio(10), Self::Ratio(20), Self::Budget];

    /// Returns the name in tables and legends.
    pub(super) fn name(self) -> String {
        match self {
            Self::None => "no retries".to_owned(),
            Self::Naive => "3 retries, no budget".to_owned(),
            Self::Ratio(percent) => format!("ratio budget, {percent} %"),
            Self::Budget => "standard budget".to_owned(),
            Self::Capacity(tokens) => format!("budget of {tokens} tokens"),
        }
    }

    /// Returns a policy with at most three retries and the delays of the standard policy.
    pub(super) fn policy(self) -> Policy {
        let policy = Policy::new().attempt_timeout(TIMEOUT).random_source(random::uniform);
        match self {
            Self::None => policy.attempts(1),
            Self::Naive => policy.attempts(4),
            Self::Ratio(_) | Self::Budget | Self::Capacity(_) => policy.attempts(4).budget(current_budget),
        }
    }

    /// Creates a process with its own budget. The budget is leaked, as a `static` would be.
    pub(super) fn process(self) -> Process {
        let budget = match self {
            Self::None | Self::Naive => return Process { budget: None },
            Self::Ratio(percent) => Budget::ratio(percent, 100, Duration::from_secs(10)),
            Self::Budget => Budget::new(),
            Self::Capacity(tokens) => Budget::new().capacity(tokens),
        };
        Process { budget: Some(Box::leak(Box::new(budget))) }
    }
}

thread_local! {
    static CURRENT_BUDGET: Cell<Option<&'static Budget>> = const { Cell::new(None) };
}

/// Returns the budget of the process that makes the next decision. All simulated processes share this thread.
fn current_budget() -> &'static Budget {
    CURRENT_BUDGET.get().expect("`Process::enter` is called before a decision")
}

/// A client process with its own budget.
#[derive(Clone, Copy)]
pub(super) struct Process {
    budget: Option<&'static Budget>,
}

impl Process {
    /// Makes this the process of the next decision.
    pub(super) fn enter(self) {
        CURRENT_BUDGET.set(self.budget);
    }
}
