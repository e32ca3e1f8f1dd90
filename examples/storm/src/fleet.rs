//! A fleet: processes, each with its own budget, and what they share.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use retry_runtime::Budget;
use retry_runtime::fleet::{Lease, LeaseRequest, LeaseStore};

use super::random;
use super::retries::{Retries, Store};
use super::server::Fault;
use super::world::{World, now, sleep};

/// The values that all processes share.
pub(super) struct Fleet {
    retries: Retries,
    pool: Arc<Pool>,
}

impl Fleet {
    /// Creates a fleet. A store that is away does not answer for a minute after the warm-up.
    pub(super) fn new(retries: Retries, warm_up: Duration) -> Self {
        let away = if retries == Retries::Leased(Store::Away) { Some(warm_up) } else { None };
        Self { retries, pool: Arc::new(Pool { tokens: Mutex::new(None), away }) }
    }

    /// Creates a process with its own budget. The budget is leaked, as a `static` would be. Leases end at `end`.
    pub(super) fn process(&self, world: &World, end: Duration) -> Process {
        let budget = match self.retries {
            Retries::None | Retries::Naive => return Process::default(),
            Retries::Throttle => return Process { budget: None, throttle: Some(Box::leak(Box::default())) },
            Retries::Ratio(percent) => Budget::ratio(percent, 100, Duration::from_secs(10)),
            Retries::Budget | Retries::Gateway => Budget::new(),
            Retries::Capacity(tokens) => Budget::new().capacity(tokens),
            Retries::Leased(_) => Budget::leased(RESERVE),
        };
        let budget: &'static Budget = Box::leak(Box::new(budget));
        if let Retries::Leased(_) = self.retries {
            let (sleeping, pool, clock) = (world.clone(), Arc::clone(&self.pool), world.clone());
            world.spawn(async move {
                budget.lease_with(pool, clock.sleep(end), move |delay| sleeping.sleep(delay)).await;
            });
        }
        Process { budget: Some(budget), throttle: None }
    }

    /// Returns the process that makes the retries in place of the clients.
    pub(super) fn gateway(&self) -> Option<Process> {
        (self.retries == Retries::Gateway).then(|| Process::of(Budget::new()))
    }
}

/// The retries that a process may make without a lease. With fewer, too many independent failures are not retried.
const RESERVE: u16 = 2;

thread_local! {
    static CURRENT_BUDGET: Cell<Option<&'static Budget>> = const { Cell::new(None) };
}

/// Returns the budget of the process that makes the next decision. All simulated processes share this thread.
pub(super) fn current_budget() -> &'static Budget {
    CURRENT_BUDGET.get().expect("`Process::enter` is called before a decision")
}

/// A client process with its own budget or throttle.
#[derive(Clone, Copy, Default)]
pub(super) struct Process {
    budget: Option<&'static Budget>,
    throttle: Option<&'static Throttle>,
}

impl Process {
    fn of(budget: Budget) -> Self {
        Self { budget: Some(Box::leak(Box::new(budget))), throttle: None }
    }

    /// Makes this the process of the next decision.
    pub(super) fn enter(self) {
        CURRENT_BUDGET.set(self.budget);
    }

    /// Returns whether the throttle allows a retry after this outcome of an attempt.
    pub(super) fn allows(self, outcome: &Result<(), Fault>) -> bool {
        self.throttle.is_none_or(|throttle| throttle.allows(outcome.is_ok()))
    }
}

/// A model of gRPC's throttle (proposal A6): a failed attempt takes one token, a success gives a tenth, and retries need more than
/// half of the tokens.
struct Throttle {
    /// Thousandths of a token, as in gRPC.
    tokens: Cell<u32>,
}

const MAX_TOKENS: u32 = 10_000;
const TOKEN_RATIO: u32 = 100;

impl Default for Throttle {
    fn default() -> Self {
        Self { tokens: Cell::new(MAX_TOKENS) }
    }
}

impl Throttle {
    fn allows(&self, is_success: bool) -> bool {
        let tokens = self.tokens.get();
        let tokens = if is_success { MAX_TOKENS.min(tokens + TOKEN_RATIO) } else { tokens.saturating_sub(1000) };
        self.tokens.set(tokens);
        is_success || tokens > MAX_TOKENS / 2
    }
}

/// A store of leases, such as Redis: an answer takes from 1 to 50 ms.
struct Pool {
    tokens: Mutex<Option<u32>>,
    /// The start of a minute without answers.
    away: Option<Duration>,
}

const AWAY: Duration = Duration::from_secs(60);

impl LeaseStore for Pool {
    type Error = Infallible;

    async fn lease(&self, request: LeaseRequest) -> Result<Lease, Infallible> {
        let latency = Duration::from_secs_f64(0.001 + 0.049 * random::uniform());
        sleep(latency / 2).await;
        if self.away.is_some_and(|from| (from..from + AWAY).contains(&now())) {
            pending::<()>().await;
        }
        let lease = self.grant(request);
        sleep(latency / 2).await;
        Ok(lease)
    }
}

impl Pool {
    fn grant(&self, LeaseRequest { credit, want, capacity, .. }: LeaseRequest) -> Lease {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let pool = tokens.unwrap_or(capacity).saturating_add(credit).min(capacity);
        let granted = pool.min(want);
        *tokens = Some(pool - granted);
        Lease { granted, left: pool - granted }
    }
}
