//! A process of the fleet: makes calls at a fixed rate, and prints its totals ten times a second.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use retry_redis::RedisStore;
use retry_runtime::{Budget, Policy};

/// The totals of a client, as it prints them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Totals {
    /// Milliseconds since the start.
    pub(crate) at: u64,
    pub(crate) calls: u64,
    pub(crate) attempts: u64,
    pub(crate) leased: u64,
    pub(crate) credited: u64,
    pub(crate) failures: u64,
}

impl Totals {
    pub(crate) fn retries(&self) -> u64 {
        self.attempts - self.calls
    }

    fn print(&self) {
        println!("{} {} {} {} {} {}", self.at, self.calls, self.attempts, self.leased, self.credited, self.failures);
    }

    pub(crate) fn parse(line: &str) -> Option<Self> {
        let numbers: Vec<u64> = line.split(' ').map_while(|number| number.parse().ok()).collect();
        let [at, calls, attempts, leased, credited, failures] = numbers[..] else { return None };
        Some(Self { at, calls, attempts, leased, credited, failures })
    }
}

/// The arguments of a client, after the word `client`.
pub(crate) struct Arguments {
    /// The port of Redis, or 0 for the standard budget of one process.
    pub(crate) port: u16,
    /// The time between two calls.
    pub(crate) every: Duration,
    /// The number of calls.
    pub(crate) calls: u64,
    /// The share of calls that fail, in percent.
    pub(crate) failing: u64,
    /// The time at which the calls start, in milliseconds since 1970.
    pub(crate) start: u64,
}

impl Arguments {
    pub(crate) fn to_strings(&self) -> Vec<String> {
        let numbers = [u64::from(self.port), self.every.as_micros() as u64, self.calls, self.failing, self.start];
        numbers.iter().map(u64::to_string).collect()
    }

    pub(crate) fn parse(arguments: &[String]) -> Self {
        let number = |place: usize| arguments[place].parse::<u64>().expect("a number");
        Self {
            port: number(0) as u16,
            every: Duration::from_micros(number(1)),
            calls: number(2),
            failing: number(3),
            start: number(4),
        }
    }
}

/// Short leases, so that the tests need not wait long for their end.
static LEASED: Budget = Budget::leased(super::RESERVE)
    .capacity(super::CAPACITY)
    .lease_valid_for(super::VALID_FOR)
    .pool_time_to_live(super::TIME_TO_LIVE);
static LOCAL: Budget = Budget::new();

static ATTEMPTS: AtomicU32 = AtomicU32::new(0);
static CALLS: AtomicU32 = AtomicU32::new(0);

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run(arguments: &Arguments) {
    let budget: fn() -> &'static Budget = if arguments.port == 0 { || &LOCAL } else { || &LEASED };
    if arguments.port != 0 {
        let address = format!("redis://127.0.0.1:{}/", arguments.port);
        let store = RedisStore::new(address, super::KEY).expect("a valid address");
        tokio::spawn(LEASED.lease_from(store));
    }
    let policy = Policy::fixed(Duration::from_millis(30)).attempts(4).budget(budget);
    tokio::time::sleep(Duration::from_millis(arguments.start.saturating_sub(now()))).await;
    let start = arguments.start;
    tokio::spawn(async move {
        loop {
            totals(start, budget()).print();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let mut interval = tokio::time::interval(arguments.every);
    for call in 0..arguments.calls {
        interval.tick().await;
        let fails = (call * 37) % 100 < arguments.failing;
        tokio::spawn(make_call(policy, fails));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    totals(start, budget()).print();
}

async fn make_call(policy: Policy, fails: bool) {
    CALLS.fetch_add(1, Relaxed);
    let attempt = || async move {
        ATTEMPTS.fetch_add(1, Relaxed);
        if fails { Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused)) } else { Ok(()) }
    };
    let _ = policy.run(|_| attempt()).await;
}

fn totals(start: u64, budget: &Budget) -> Totals {
    let stats = budget.lease_stats();
    // Calls last, so that there are at least as many attempts.
    let calls = CALLS.load(Relaxed).into();
    Totals {
        at: now().saturating_sub(start),
        calls,
        attempts: u64::from(ATTEMPTS.load(Relaxed)).max(calls),
        leased: stats.leased,
        credited: stats.credited,
        failures: stats.failures,
    }
}
