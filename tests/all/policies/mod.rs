//! Policies from files and the environment, and the text of policies.

use std::time::Duration;

use retry_runtime::config::Policies;
use retry_runtime::{Attempt, Budget, Policy};
use serde_json::Value;

use crate::support::SECOND;

/// Declares policies that only one test uses.
macro_rules! policies {
    ($name:ident) => {
        retry_runtime::policies! {
            static $name {
                billing: crate::policies::BILLING,
                search: retry_runtime::Policy::new().attempts(2),
                own: retry_runtime::Policy::custom(crate::policies::hour),
            }
        }
    };
}

mod arbitrary_input;
mod display;
mod every_key;
mod files;
mod keys;
mod loading;
mod runtime;
mod schedule_changes;

fn read(value: Value) -> Result<Policy, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

static API: Budget = Budget::new().capacity(500);
const BILLING: Policy = Policy::fixed(SECOND).attempts(5).deadline(Duration::from_secs(60)).budget(|| &API);

fn hour(_: &Attempt) -> Duration {
    SECOND * 3600
}

fn lines(policies: &Policies) -> Vec<String> {
    policies.iter().map(|(name, policy)| format!("{name}: {policy}")).collect()
}
