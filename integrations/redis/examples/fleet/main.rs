//! Proves on this machine that the retries of a fleet of processes stay within the capacity of its pool, whatever happens to Redis and
//! to the processes. Starts `redis-server` on loopback, and itself as the processes. `../run` builds and runs it.

mod client;
mod clients;
mod server;

use std::process::ExitCode;
use std::thread::{self, sleep};
use std::time::Duration;

use client::{Arguments, Totals, now};
use clients::Clients;
use server::{Server, send_signal};

const KEY: &str = "retry-budget";
/// The retries of each process without a lease.
const RESERVE: u16 = 1;
/// The tokens of the fleet. A retry takes 5.
const CAPACITY: u32 = 500;
const RETRY_COST: u64 = 5;
/// Short, so that the test need not wait long.
const VALID_FOR: Duration = Duration::from_secs(2);
const TIME_TO_LIVE: Duration = Duration::from_secs(6);

/// All outages last this long.
const LENGTH: u64 = 14_000;
const FIRST: u64 = 10_000;

/// A fleet, an event that happens to it, and the number of pools that it may use up.
struct Scenario {
    name: &'static str,
    processes: usize,
    /// Calls per second of each process.
    rate: u64,
    failing: u64,
    /// `None` without Redis.
    pools: Option<u64>,
    happens: fn(&mut Server, &mut Clients, &Clock),
}

const SCENARIOS: [Scenario; 9] = [
    Scenario {
        name: "standard budget, one process",
        processes: 1,
        rate: 1000,
        failing: 100,
        pools: None,
        happens: nothing,
    },
    Scenario {
        name: "standard budget in each process",
        processes: 50,
        rate: 20,
        failing: 100,
        pools: None,
        happens: nothing,
    },
    Scenario { name: "leased", processes: 50, rate: 20, failing: 100, pools: Some(1), happens: nothing },
    Scenario {
        name: "Redis is killed and restarted",
        processes: 50,
        rate: 20,
        failing: 100,
        pools: Some(2),
        happens: restart,
    },
    Scenario {
        name: "Redis stops for 3 s (SIGSTOP)",
        processes: 20,
        rate: 50,
        failing: 100,
        pools: Some(1),
        happens: suspend_server,
    },
    Scenario {
        name: "clients stop or are killed",
        processes: 20,
        rate: 50,
        failing: 100,
        pools: Some(1),
        happens: lose_clients,
    },
    Scenario { name: "FLUSHALL, twice", processes: 20, rate: 50, failing: 100, pools: Some(3), happens: flush },
    Scenario { name: "the pool is evicted", processes: 20, rate: 50, failing: 100, pools: Some(2), happens: evict },
    Scenario { name: "30 % of the calls fail", processes: 20, rate: 50, failing: 30, pools: Some(1), happens: nothing },
];

/// The time since the start of the calls.
struct Clock {
    start: u64,
}

impl Clock {
    fn wait_until(&self, at: u64) {
        sleep(Duration::from_millis((self.start + at).saturating_sub(now())));
    }
}

fn nothing(_: &mut Server, _: &mut Clients, _: &Clock) {}

fn restart(server: &mut Server, _: &mut Clients, clock: &Clock) {
    clock.wait_until(300);
    server.kill();
    clock.wait_until(5_000);
    server.restart();
}

fn suspend_server(server: &mut Server, _: &mut Clients, clock: &Clock) {
    clock.wait_until(60);
    server.signal("-STOP");
    clock.wait_until(3_000);
    server.signal("-CONT");
}

fn lose_clients(_: &mut Server, clients: &mut Clients, clock: &Clock) {
    clock.wait_until(60);
    for place in 0..4 {
        send_signal("-STOP", clients.process(place));
    }
    clock.wait_until(100);
    for place in 4..8 {
        clients.kill(place);
    }
    // Longer than a lease is valid, and than the pool is kept after the last request.
    clock.wait_until(8_000);
    for place in 0..4 {
        send_signal("-CONT", clients.process(place));
    }
}

fn flush(server: &mut Server, _: &mut Clients, clock: &Clock) {
    for at in [3_000, 6_000] {
        clock.wait_until(at);
        assert_eq!(server.command(&["FLUSHALL"]), "+OK");
    }
}

fn evict(server: &mut Server, _: &mut Clients, clock: &Clock) {
    assert_eq!(server.command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]), "+OK");
    clock.wait_until(3_000);
    assert_eq!(server.command(&["CONFIG", "SET", "maxmemory", "1"]), "+OK");
    clock.wait_until(5_000);
    assert_eq!(server.command(&["CONFIG", "SET", "maxmemory", "0"]), "+OK");
    assert!(server.evicted() >= 1, "Redis has evicted the pool");
}

/// The totals of a scenario.
struct Measured {
    first: Totals,
    all: Totals,
    /// The pool was outside its limits at some time.
    strange_pool: Option<i64>,
}

impl Scenario {
    fn run(&self, start: u64) -> Measured {
        let mut server = Server::start();
        let port = if self.pools.is_some() { server.port() } else { 0 };
        let every = Duration::from_micros(1_000_000 / self.rate);
        let calls = self.rate * LENGTH / 1000;
        let arguments = Arguments { port, every, calls, failing: self.failing, start };
        let mut clients = Clients::start(self.processes, &arguments);
        let clock = Clock { start };
        (self.happens)(&mut server, &mut clients, &clock);
        let mut strange_pool = None;
        while now() < start + LENGTH {
            strange_pool = strange_pool.or(server.pool().filter(|pool| !(0..=CAPACITY.into()).contains(pool)));
            sleep(Duration::from_millis(50));
        }
        clients.join();
        Measured { first: clients.until(FIRST), all: clients.until(u64::MAX), strange_pool }
    }

    /// The largest number of retries that the fleet may make during a full outage.
    fn most_retries(&self) -> u64 {
        let pools = self.pools.map_or(self.processes as u64, |pools| pools);
        let reserves = self.pools.map_or(0, |_| self.processes as u64 * u64::from(RESERVE));
        reserves + pools * u64::from(CAPACITY) / RETRY_COST
    }

    /// Prints a line, and returns what is wrong.
    fn judge(&self, measured: &Measured) -> Vec<String> {
        let Measured { first, all, strange_pool } = measured;
        let load = |attempts: u64, calls: u64| attempts as f64 / calls.max(1) as f64;
        let after = load(all.attempts - first.attempts, all.calls - first.calls);
        let (most, is_outage) = (self.most_retries(), self.failing == 100);
        println!(
            "{:<34}{:>5}{:>8}{:>10.3}{:>9.3}{:>9}{:>9}{:>9}{:>9}",
            self.name,
            self.processes,
            all.calls,
            load(first.attempts, first.calls),
            after,
            all.retries(),
            if is_outage { most.to_string() } else { "-".to_owned() },
            all.leased,
            all.failures
        );
        let mut wrong = Vec::new();
        let mut check = |is_right: bool, text: String| {
            if !is_right {
                wrong.push(format!("{}: {text}", self.name));
            }
        };
        check(!is_outage || all.retries() <= most, format!("{} retries, at most {most}", all.retries()));
        check(strange_pool.is_none(), format!("a pool of {strange_pool:?} tokens"));
        if let Some(pools) = self.pools {
            let granted = pools * u64::from(CAPACITY) + all.credited;
            check(all.leased <= granted, format!("{} tokens leased, at most {granted}", all.leased));
            check(all.leased > 0, "no tokens were leased".to_owned());
        }
        if self.name == "leased" {
            let (calls, rate) = (first.calls, self.processes as u64 * self.rate);
            check(calls * 10 >= rate * 9 * FIRST / 1000, format!("only {calls} calls in ten seconds"));
            let load = load(first.attempts, first.calls);
            check(load <= 1.03, format!("a load of {load:.3} in ten seconds"));
            check(after <= 1.001, format!("a load of {after:.3} after ten seconds"));
            check(all.retries() * RETRY_COST >= u64::from(CAPACITY), "the pool was not used".to_owned());
        }
        wrong
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|word| word == "client") {
        client::run(&Arguments::parse(&arguments[1..]));
        return ExitCode::SUCCESS;
    }
    // All at the same time, once all processes have started.
    let start = now() + 6_000;
    let running: Vec<_> =
        SCENARIOS.iter().map(|scenario| (scenario, thread::spawn(move || scenario.run(start)))).collect();
    println!("1000 calls per second; a pool of {CAPACITY} tokens, and {RETRY_COST} for a retry");
    println!(
        "{:<34}{:>5}{:>8}{:>10}{:>9}{:>9}{:>9}{:>9}{:>9}",
        "all calls fail", "proc", "calls", "load 10s", "after", "retries", "at most", "leased", "errors"
    );
    let mut wrong = Vec::new();
    for (scenario, thread) in running {
        match thread.join() {
            Ok(measured) => wrong.extend(scenario.judge(&measured)),
            Err(_) => wrong.push(format!("{}: the test panicked", scenario.name)),
        }
    }
    for line in &wrong {
        println!("failed: {line}");
    }
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
