//! Fleets of 50 processes whose service fails: the retries that they make with local budgets, with a budget that is leased from Redis, and
//! while Redis and processes are killed and suspended.
//!
//! `integrations/redis/run` prints the table; with an argument, the lines whose name contains it. All fleets run at the same time, each
//! with a Redis server of its own. A process makes 20 calls a second with up to four attempts. The service is healthy for three seconds,
//! fails all requests for 13 seconds, and recovers.
//!
//! The bounds hold on a slow machine too: nothing depends on when Redis answers.

mod counts;
mod fleet;
mod member;
mod redis_server;
mod report;

use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Barrier;
use std::thread;

use fleet::FLEETS;
use report::Report;

/// The seconds in which every request fails.
const OUTAGE: Range<usize> = 3..16;
/// The seconds of the outage whose load is compared.
const FIRST: Range<usize> = 3..13;
/// The second in which all processes end.
const END: usize = 18;

const KEY: &str = "retry-budget:api";
/// The tokens of the pool, and of the local budgets.
const CAPACITY: u64 = 500;
/// The tokens that a retry takes.
const COST: u64 = 5;
/// The retries of a process without a lease.
const RESERVE: u16 = 1;
/// The tokens of a lease.
const SIZE: u16 = 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [role, arguments @ ..] = &arguments[..] {
        if role == "member" {
            member::run(arguments);
            return ExitCode::SUCCESS;
        }
    }
    if !redis_server::is_installed() {
        println!("skipped: fleet: Redis is not installed (Debian: apt-get install redis-server)");
        return ExitCode::SUCCESS;
    }
    // `run` ends the servers that it finds there.
    let root = std::env::var("FLEET_DIRECTORY").unwrap_or_else(|_| env!("CARGO_TARGET_TMPDIR").to_owned());
    let name = arguments.first().map_or("", String::as_str);
    let fleets: Vec<_> = FLEETS.iter().filter(|fleet| fleet.name.contains(name)).collect();
    let start = Barrier::new(fleets.len());
    let mut report = Report::new();
    thread::scope(|scope| {
        let fleets: Vec<_> = fleets.iter().map(|fleet| scope.spawn(|| fleet.run(Path::new(&root), &start))).collect();
        for fleet in fleets {
            report.add(&fleet.join().expect("a fleet panicked"));
        }
    });
    report.end()
}
