//! The ways to retry that are compared.

use std::cell::Cell;
use std::time::Duration;

use retry_runtime::{Budget, Policy};

use super::random;

/// Whether calls are retried, and who pays for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retries {
    /// One attempt.
    None,
    /// Three retries, whatever happens.
    Naive,
    /// A ratio budget of so many percent, with a window and a reserve as in tower.
    Ratio(u8),
    /// The standard budget.
    Budget,
    /// The standard budget with so many tokens.
    Capacity(u32),
}

/// What a client waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(1);

impl Retries {
    /// The five ways that most plots compare.
    pub(super) const COMPARED: [Self; 5] = [Self::None, Self::Naive, Self::Ratio(10), Self::Ratio(20), Self::Budget];

    /// The name in tables and legends.
    pub(super) fn name(self) -> String {
        match self {
            Self::None => "no retries".to_owned(),
            Self::Naive => "3 retries, no budget".to_owned(),
            Self::Ratio(percent) => format!("ratio budget, {percent} %"),
            Self::Budget => "standard budget".to_owned(),
            Self::Capacity(tokens) => format!("budget of {tokens} tokens"),
        }
    }

    /// Three retries at most, with the delays of the standard policy.
    pub(super) fn policy(self) -> Policy {
        let policy = Policy::new().attempt_timeout(TIMEOUT).random_source(random::uniform);
        match self {
            Self::None => policy.attempts(1),
            Self::Naive => policy.attempts(4),
            Self::Ratio(_) | Self::Budget | Self::Capacity(_) => policy.attempts(4).budget(payer),
        }
    }

    /// A budget of its own for a process. Lives on after it, as a `static` would.
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
    static PAYER: Cell<Option<&'static Budget>> = const { Cell::new(None) };
}

/// The budget of the process whose call is decided about: here many processes are one.
fn payer() -> &'static Budget {
    PAYER.get().expect("`Process::decides` comes before a decision")
}

/// A client process, which shares its budget with no other.
#[derive(Clone, Copy)]
pub(super) struct Process {
    budget: Option<&'static Budget>,
}

impl Process {
    /// A decision about one of its calls comes next.
    pub(super) fn decides(self) {
        PAYER.set(self.budget);
    }
}
