//! A policy that is read and not used yet.

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::policy::backoff::Backoff;
use crate::policy::builder::Policy;

/// A policy that is read and not used yet. A policy that is discarded because of an error elsewhere leaks nothing.
#[derive(Clone)]
pub(crate) struct Draft {
    /// If there is a list of delays, the backoff is its first element.
    pub(super) policy: Policy,
    pub(super) delays: Option<Vec<Duration>>,
}

impl Draft {
    /// A policy of the code that no key changes.
    pub(crate) fn of(policy: Policy) -> Self {
        Self { policy, delays: None }
    }

    /// The policy. Its list of delays is kept until the program ends.
    pub(crate) fn into_policy(self) -> Policy {
        match self.delays {
            Some(delays) => Policy { backoff: Backoff::Delays(leak(delays)), ..self.policy },
            None => self.policy,
        }
    }
}

/// Leaks a list of delays, because a policy is `Copy` and may be in use until the program ends. Each distinct list is leaked only
/// once, so loading the same file again allocates nothing.
fn leak(delays: Vec<Duration>) -> &'static [Duration] {
    static LISTS: Mutex<BTreeSet<&'static [Duration]>> = Mutex::new(BTreeSet::new());
    let mut lists = LISTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lists.get(delays.as_slice()) {
        return known;
    }
    let leaked = Box::leak(delays.into_boxed_slice());
    lists.insert(leaked);
    leaked
}
