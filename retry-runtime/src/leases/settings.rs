//! The settings of a leased budget, and what it reports.

use core::time::Duration;

use crate::policy::budget::Budget;
use crate::policy::budget::lease_settings::{LeaseEvent, LeaseSettings};
use crate::util::sync::Relaxed;

/// A budget for a fleet: many processes share the tokens of a pool.
impl Budget {
    /// Creates a budget whose tokens are leased from a pool that all processes of a fleet share.
    ///
    /// The budget itself stays local: a retry takes tokens of its process, without waiting for anything. A task in the background
    /// fetches them from the pool: see [`lease_from`](Self::lease_from). Without that task, and while the store of the pool is away,
    /// it is a local budget that has `reserve` retries, and successes fill it up to that number.
    ///
    /// ```
    /// use retry_runtime::Budget;
    ///
    /// static API: Budget = Budget::leased(1);
    ///
    /// # async fn start(redis: impl retry_runtime::fleet::LeaseStore + 'static) {
    /// tokio::spawn(API.lease_from(redis));
    /// # }
    /// ```
    ///
    /// `reserve` is the number of retries that a process may make without a lease. A lease begins with the first failure, so the
    /// reserve is for the failures before the store has answered. Use 1 or 2 if there are many processes. Without a lease, a retry
    /// after a timeout takes no more tokens than another retry.
    ///
    /// # The size of the pool
    ///
    /// [`capacity`](Self::capacity) is the number of tokens of the *fleet*, which the pool has at the start. It defaults to 500
    /// tokens, as for a single process. If all calls of all processes fail, they make at most this number of retries, together:
    ///
    /// ```text
    /// capacity / retry_cost  +  processes × reserve
    /// ```
    ///
    /// With the defaults and 50 processes, these are 100 + 50 retries. A process that held a lease when the outage began has the
    /// tokens of that lease instead of its reserve, so many processes need a small [`lease_size`](Self::lease_size). A pool that no
    /// process has used for [`pool_time_to_live`](Self::pool_time_to_live), or that the store has lost, is full again.
    ///
    /// Successes fill the lease of their process, or its reserve if it has no lease, and then the pool.
    ///
    /// # Panics
    ///
    /// Panics if the reserve is above 65535 tokens.
    #[must_use]
    #[track_caller]
    pub const fn leased(reserve: u16) -> Self {
        Self::new().with_leases(LeaseSettings::new(reserve))
    }

    /// Sets the name of a leased budget in its events. Defaults to `budget`.
    ///
    /// # Panics
    ///
    /// Panics if the budget is not leased.
    #[must_use]
    #[track_caller]
    pub const fn name(self, name: &'static str) -> Self {
        let settings = *self.lease_settings();
        self.with_leases(LeaseSettings { name, ..settings })
    }

    /// Sets the largest number of tokens that a process holds with a lease. Defaults to 50, which are ten retries. A size above the
    /// capacity of the pool counts as that capacity. It is always at least one retry more than the reserve: a smaller size counts as that.
    ///
    /// A large lease serves many failures that come at the same time. A small one leaves more to the other processes, and less is
    /// lost with a process that is killed. A process asks for more when half of this size is left.
    ///
    /// # Panics
    ///
    /// Panics if it is below the cost of one retry, or if the budget is not leased.
    #[must_use]
    #[track_caller]
    pub const fn lease_size(self, tokens: u16) -> Self {
        let settings = *self.lease_settings();
        self.with_leases(LeaseSettings { size: tokens, ..settings })
    }

    /// Sets how long a lease is valid, counted from the time just before it was asked for. Defaults to 10 seconds.
    ///
    /// A process that still has tokens of its lease returns them to the pool after three quarters of this time. If it cannot, for
    /// example because it was suspended, they are void. To make it longer than 30 seconds, set `pool_time_to_live` first; to make it
    /// shorter than 200 ms, set `store_timeout` first.
    ///
    /// # Panics
    ///
    /// Panics if it is shorter than a millisecond, not longer than [`store_timeout`](Self::store_timeout), longer than half of
    /// [`pool_time_to_live`](Self::pool_time_to_live), or if the budget is not leased.
    #[must_use]
    #[track_caller]
    pub const fn lease_valid_for(self, time: Duration) -> Self {
        let settings = *self.lease_settings();
        self.with_leases(LeaseSettings { valid_for: time, ..settings })
    }

    /// Sets how long the pool is kept after the last request of any process. Defaults to a minute. To make it shorter than 20 seconds,
    /// set `lease_valid_for` first.
    ///
    /// # Panics
    ///
    /// Panics if it is shorter than twice [`lease_valid_for`](Self::lease_valid_for), longer than a day, or if the budget is not
    /// leased.
    #[must_use]
    #[track_caller]
    pub const fn pool_time_to_live(self, time: Duration) -> Self {
        let settings = *self.lease_settings();
        self.with_leases(LeaseSettings { time_to_live: time, ..settings })
    }

    /// Sets how long the task waits for an answer of the store. Defaults to 200 ms.
    ///
    /// No call waits for the store, so this only decides when the store counts as failed. To make it 10 seconds or longer, set
    /// `lease_valid_for` first.
    ///
    /// # Panics
    ///
    /// Panics if it is shorter than a millisecond, not shorter than [`lease_valid_for`](Self::lease_valid_for), or if the budget is
    /// not leased.
    #[must_use]
    #[track_caller]
    pub const fn store_timeout(self, time: Duration) -> Self {
        let settings = *self.lease_settings();
        self.with_leases(LeaseSettings { store_timeout: time, ..settings })
    }

    /// Sets a function that is called when the store fails for the first time after an answer, and when it answers again. With the
    /// feature `tracing`, they are also events with the target `retry`: a warning and an info.
    ///
    /// A panic of the function is caught.
    ///
    /// # Panics
    ///
    /// Panics if the budget is not leased.
    #[must_use]
    #[track_caller]
    pub const fn on_lease_event(self, listener: fn(&LeaseEvent<'_>)) -> Self {
        let settings = *self.lease_settings();
        self.with_leases(LeaseSettings { listener: Some(listener), ..settings })
    }

    /// The leases of this process so far, for metrics. All numbers are 0 if the budget is not leased.
    #[must_use]
    pub fn lease_stats(&self) -> LeaseStats {
        let lease = self.lease();
        let count = |counter: &crate::util::sync::AtomicU64| counter.load(Relaxed);
        LeaseStats {
            is_leasing: lease.is_claimed(),
            credit: lease.credit(),
            leased: count(&lease.counts.leased),
            credited: count(&lease.counts.credited),
            requests: count(&lease.counts.asked),
            failures: count(&lease.counts.failed),
        }
    }

    #[track_caller]
    const fn lease_settings(&self) -> &LeaseSettings {
        let Some(settings) = self.lease().settings() else {
            panic!("the budget has no leases: start with `Budget::leased`")
        };
        settings
    }
}

/// The leases of a process, as [`Budget::lease_stats`] returns them. The numbers are totals since the start of the process, unless
/// noted otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseStats {
    /// True while there is a task that takes leases.
    pub is_leasing: bool,
    /// The tokens that will be added to the pool with the next request.
    pub credit: u32,
    /// The tokens that the store has granted.
    pub leased: u64,
    /// The tokens that were added to the pool, as far as the store has confirmed it.
    pub credited: u64,
    /// The requests to the store.
    pub requests: u64,
    /// The requests that have failed.
    pub failures: u64,
}
