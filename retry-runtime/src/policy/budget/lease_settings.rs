//! The settings of a leased budget, and the event of its leases.

use core::time::Duration;

#[derive(Clone, Copy, Debug)]
pub(crate) struct LeaseSettings {
    pub(crate) name: &'static str,
    /// The retries that a process has without a lease.
    pub(crate) reserve: u16,
    /// The largest number of tokens of a lease.
    pub(crate) size: u16,
    pub(crate) valid_for: Duration,
    pub(crate) time_to_live: Duration,
    pub(crate) store_timeout: Duration,
    pub(crate) listener: Option<fn(&LeaseEvent<'_>)>,
}

/// A change in the leases of a budget, as the listener of [`Budget::on_lease_event`](crate::Budget::on_lease_event) receives it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LeaseEvent<'a> {
    /// The name of the budget.
    pub name: &'static str,
    /// The change.
    pub kind: LeaseEventKind<'a>,
}

/// The changes in the leases of a budget.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum LeaseEventKind<'a> {
    /// The store did not answer in time, or answered with an error or with impossible numbers. Until it answers again, the process
    /// makes only the retries that its reserve and its own successes pay for. Emitted once, at the first failure after an answer.
    StoreFailed {
        /// The text of the store's error, or why it did not answer.
        reason: &'a str,
    },
    /// The store has answered again.
    StoreRecovered {
        /// The number of requests that had failed, one after the other.
        failures: u32,
    },
}

impl LeaseSettings {
    pub(crate) const fn new(reserve: u16) -> Self {
        Self {
            name: "budget",
            reserve,
            size: 50,
            valid_for: Duration::from_secs(10),
            time_to_live: Duration::from_secs(60),
            store_timeout: Duration::from_millis(200),
            listener: None,
        }
    }

    /// Checks the settings, for a budget whose retries have this cost.
    #[track_caller]
    pub(crate) const fn check(&self, retry_cost: u16) {
        assert!(
            self.reserve_tokens(retry_cost) <= u16::MAX as u32,
            "the reserve of a process holds at most 65535 tokens: choose a smaller number of retries"
        );
        assert!(
            self.size >= retry_cost,
            "a lease that does not pay for one retry lets none through: raise `lease_size`"
        );
        assert!(
            self.valid_for.as_millis() > 0 && self.store_timeout.as_millis() > 0,
            "`lease_valid_for` and `store_timeout` must be at least a millisecond"
        );
        assert!(
            self.store_timeout.as_nanos() < self.valid_for.as_nanos(),
            "`store_timeout` must be shorter than `lease_valid_for`: otherwise a lease may be void when it arrives"
        );
        assert!(
            self.valid_for.as_nanos() <= self.time_to_live.as_nanos() / 2,
            "`pool_time_to_live` must be at least twice `lease_valid_for`: otherwise a full pool may take the place of one with leases out"
        );
        assert!(self.time_to_live.as_secs() <= 86_400, "`pool_time_to_live` must be at most a day");
    }

    pub(crate) const fn reserve_tokens(&self, retry_cost: u16) -> u32 {
        self.reserve as u32 * retry_cost as u32
    }
}
