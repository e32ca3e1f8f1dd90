//! `PerHost`: a budget and a breaker for each host, in bounded memory.

use core::fmt;
use core::hash::BuildHasher;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::sync::{Arc, Mutex};

use reqwest::Url;

use crate::load::breaker::{Breaker, BreakerState};
use crate::policy::budget::Budget;
use crate::util::sync::lock;

/// A budget and a breaker for each host that requests are sent to, for [`RequestRetry::per_host`](super::RequestRetry::per_host).
///
/// One host that fails then neither uses up the retries of the others, nor closes the way to them.
///
/// ```
/// use retry_runtime::http::{PerHost, RequestRetry};
/// use retry_runtime::{Breaker, Budget, Policy};
///
/// let hosts = PerHost::new().budget(Budget::new).breaker(Breaker::new);
/// let retry = RequestRetry::new(Policy::new()).per_host(hosts);
/// ```
///
/// A host is the scheme, the name or address, and the port of the URL of each attempt, after
/// [`before_attempt`](super::RequestRetry::before_attempt) has changed it. Redirects that reqwest follows inside an attempt do
/// not count as hosts: their outcome belongs to the host that the attempt was sent to.
///
/// A retry is paid for by the host whose attempt failed, even if the next attempt goes to another host.
///
/// If the breaker of a host rejects an attempt of [`send_first_of`](super::SendFirstOf::send_first_of), and the next request
/// goes to another host, that request follows after the policy's delay, with and without a deadline. It does not wait for
/// the breaker.
///
/// # Memory
///
/// At most [`limit`](Self::limit) hosts are kept, 1000 by default, each in about 1.4 KiB for a budget and 2.5 KiB for a
/// breaker. A further host replaces the one that has not been used for the longest time. Hosts whose breaker is not closed are
/// replaced last, so that requests to many made-up hosts do not make a client forget that a host is down. Calls that are under
/// way keep the budget and the breaker that they began with.
///
/// Clones share their hosts, and so do clones of a `RequestRetry`.
#[derive(Clone)]
#[must_use]
pub struct PerHost {
    budget: Option<Arc<dyn Fn() -> Budget + Send + Sync>>,
    breaker: Option<Arc<dyn Fn() -> Breaker + Send + Sync>>,
    limit: usize,
    hosts: Arc<Hosts>,
}

/// The budget and the breaker of one host.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) budget: Option<Arc<Budget>>,
    pub(super) breaker: Option<Arc<Breaker>>,
}

#[derive(Default)]
struct Hosts {
    /// Makes the key of a host, so that a long name takes no memory. The hash has a random seed, so that a server cannot choose
    /// two hosts with the same key. By chance, that happens in one of 10¹³ tables of 1000 hosts.
    hasher: RandomState,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    slots: HashMap<u64, Slot>,
    /// The number of uses so far.
    clock: u64,
}

struct Slot {
    host: Arc<Host>,
    /// The value of the clock when the host was used last.
    used: u64,
}

impl Default for PerHost {
    fn default() -> Self {
        Self::new()
    }
}

impl PerHost {
    /// Creates settings without a budget and without a breaker. Add at least one of them.
    pub fn new() -> Self {
        Self { budget: None, breaker: None, limit: 1000, hosts: Arc::default() }
    }

    /// Creates a budget for each host with this function. It pays for the retries instead of the policy's budget.
    pub fn budget(mut self, budget: impl Fn() -> Budget + Send + Sync + 'static) -> Self {
        self.budget = Some(Arc::new(budget));
        self
    }

    /// Creates a breaker for each host with this function.
    pub fn breaker(mut self, breaker: impl Fn() -> Breaker + Send + Sync + 'static) -> Self {
        self.breaker = Some(Arc::new(breaker));
        self
    }

    /// Sets the largest number of hosts that are kept. Defaults to 1000.
    ///
    /// # Panics
    ///
    /// Panics if it is 0.
    #[track_caller]
    pub fn limit(mut self, hosts: usize) -> Self {
        assert!(hosts > 0, "`limit` must be at least 1: without a host there is neither a budget nor a breaker");
        self.limit = hosts;
        self
    }

    /// The number of hosts that are kept.
    #[must_use]
    pub fn hosts(&self) -> usize {
        lock(&self.hosts.table).slots.len()
    }

    /// The budget of the host of this URL, if the host is kept. Does not count as a use of the host.
    #[must_use]
    pub fn budget_of(&self, url: &Url) -> Option<Arc<Budget>> {
        self.kept(url)?.budget.clone()
    }

    /// The breaker of the host of this URL, if the host is kept. Does not count as a use of the host.
    #[must_use]
    pub fn breaker_of(&self, url: &Url) -> Option<Arc<Breaker>> {
        self.kept(url)?.breaker.clone()
    }

    fn kept(&self, url: &Url) -> Option<Arc<Host>> {
        lock(&self.hosts.table).slots.get(&self.key(url)).map(|slot| slot.host.clone())
    }

    /// The host of the URL, which is created if it is not kept.
    pub(super) fn host(&self, url: &Url) -> Arc<Host> {
        let key = self.key(url);
        if let Some(host) = lock(&self.hosts.table).used(key) {
            return host;
        }
        // Outside the lock, because this runs the user's code.
        let budget = self.budget.as_ref().map(|budget| Arc::new(budget()));
        let breaker = self.breaker.as_ref().map(|breaker| Arc::new(breaker()));
        lock(&self.hosts.table).insert(key, Host { budget, breaker }, self.limit)
    }

    fn key(&self, url: &Url) -> u64 {
        self.hosts.hasher.hash_one((url.scheme(), url.host_str(), url.port_or_known_default()))
    }

    pub(super) fn is_same(&self, one: &Url, other: &Url) -> bool {
        self.key(one) == self.key(other)
    }

    pub(super) const fn has_breaker(&self) -> bool {
        self.breaker.is_some()
    }

    pub(super) const fn has_effect(&self) -> bool {
        self.budget.is_some() || self.breaker.is_some()
    }
}

impl Table {
    /// Returns the host, which is used now.
    fn used(&mut self, key: u64) -> Option<Arc<Host>> {
        self.clock += 1;
        let slot = self.slots.get_mut(&key)?;
        slot.used = self.clock;
        Some(slot.host.clone())
    }

    /// Inserts the host, unless another call has done so meanwhile.
    fn insert(&mut self, key: u64, host: Host, limit: usize) -> Arc<Host> {
        if let Some(host) = self.used(key) {
            return host;
        }
        while self.slots.len() >= limit && self.evict() {}
        let host = Arc::new(host);
        self.slots.insert(key, Slot { host: host.clone(), used: self.clock });
        host
    }

    /// Removes the host that is worth the least. A search takes about a microsecond for 1000 hosts.
    fn evict(&mut self) -> bool {
        let oldest = self.slots.iter().min_by_key(|(_, slot)| (slot.host.is_known_to_fail(), slot.used));
        let oldest = oldest.map(|(key, _)| *key);
        oldest.is_some_and(|key| self.slots.remove(&key).is_some())
    }
}

impl Host {
    fn is_known_to_fail(&self) -> bool {
        self.breaker.as_ref().is_some_and(|breaker| breaker.state() != BreakerState::Closed)
    }
}

impl fmt::Debug for PerHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerHost").field("hosts", &self.hosts()).field("limit", &self.limit).finish_non_exhaustive()
    }
}
