//! The compared ways to retry.

use std::time::Duration;

use retry_runtime::Policy;

use super::fleet::current_budget;
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
    /// The standard budget, whose capacity follows the traffic.
    Budget,
    /// A budget with this number of tokens.
    Capacity(u32),
    /// The throttle of gRPC, with 10 tokens and a ratio of 0.1.
    Throttle,
    /// The standard budget of a gateway, which makes all retries and marks its failures as retried.
    Gateway,
    /// A budget whose tokens are leased from a store. The pool has 500 tokens, and each process a reserve of two retries.
    Leased(Store),
}

/// The state of the store of leases after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Store {
    Works,
    /// Does not answer for the first minute.
    Away,
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
            Self::Throttle => "gRPC's throttle".to_owned(),
            Self::Gateway => "retries in one place".to_owned(),
            Self::Leased(Store::Works) => "leased budget".to_owned(),
            Self::Leased(Store::Away) => "leased, store away".to_owned(),
        }
    }

    /// Returns a policy with at most three retries and the delays of the standard policy.
    pub(super) fn policy(self) -> Policy {
        let policy = Policy::new().attempt_timeout(TIMEOUT).random_source(random::uniform);
        match self {
            Self::None => policy.attempts(1),
            Self::Naive | Self::Throttle => policy.attempts(4),
            Self::Ratio(_) | Self::Budget | Self::Capacity(_) | Self::Gateway | Self::Leased(_) => {
                policy.attempts(4).budget(current_budget)
            }
        }
    }
}
