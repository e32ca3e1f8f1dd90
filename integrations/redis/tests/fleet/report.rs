//! The table, and the bounds.

use std::process::ExitCode;

use crate::counts::Field;
use crate::fleet::{Action, Kind, Outcome, TROUBLED};
use crate::{CAPACITY, COST, FIRST, OUTAGE, RESERVE, SIZE};

const FLEET: &str = "leased";
const KILLED: &str = "leased, Redis killed and restarted";
/// The largest load of a fleet in the first ten seconds, where one process alone has 1.01.
const LOAD: f64 = 1.03;

/// Prints a line for each fleet, and collects what is beyond its bound.
pub(crate) struct Report {
    notes: Vec<String>,
    errors: Vec<String>,
}

impl Report {
    pub(crate) fn new() -> Self {
        println!(
            "50 processes that each make 20 calls a second with up to four attempts; all requests fail for {} s",
            OUTAGE.len()
        );
        println!(
            "leased: a pool of {CAPACITY} tokens, leases of {SIZE}, a reserve of {RESERVE} retry for each process; a retry takes {COST} tokens\n"
        );
        println!(
            "{:<36}{:>23}{:>8}{:>18}{:>26}{:>15}",
            "", "first 10 s", "after", "the whole outage", "tokens from the pool", "Redis"
        );
        println!(
            "{:<36}{:>7}{:>9}{:>7}{:>8}{:>9}{:>9}{:>8}{:>9}{:>9}{:>8}{:>7}",
            "",
            "calls",
            "requests",
            "load",
            "load",
            "retries",
            "at most",
            "lives",
            "granted",
            "at most",
            "asked",
            "away"
        );
        Self { notes: Vec::new(), errors: Vec::new() }
    }

    pub(crate) fn add(&mut self, outcome: &Outcome) {
        let Outcome { fleet, totals, lives, pool } = outcome;
        let all = |field, seconds| totals.all(field, seconds);
        let load = |seconds: std::ops::Range<usize>| {
            all(Field::Requests, seconds.clone()) as f64 / all(Field::Calls, seconds).max(1) as f64
        };
        let (first, after) = (load(FIRST), load(FIRST.end..OUTAGE.end));
        let (retries, most) = (all(Field::Retries, OUTAGE), most_retries(outcome));
        // From the start, because leases are taken before the outage too.
        let until_end = || 0..OUTAGE.end;
        let (granted, credit) = (all(Field::Granted, until_end()), all(Field::Credit, until_end()));
        let most_granted = CAPACITY * lives + credit;
        print!("{:<36}{:>7}{:>9}", fleet.name, all(Field::Calls, FIRST), all(Field::Requests, FIRST));
        print!("{first:>7.3}{after:>8.3}{retries:>9}{most:>9}");
        if fleet.kind.is_local() {
            println!();
        } else {
            print!("{lives:>8}{granted:>9}{most_granted:>9}");
            println!("{:>8}{:>7}", all(Field::Asked, until_end()), all(Field::Away, until_end()));
        }

        self.require(retries <= most, || format!("{}: {retries} retries of {most}", fleet.name));
        self.require(granted <= most_granted, || format!("{}: {granted} tokens of {most_granted}", fleet.name));
        self.require(pool.is_none_or(|pool| pool <= CAPACITY), || format!("{}: {pool:?} in the pool", fleet.name));
        if [FLEET, KILLED].contains(&fleet.name) {
            self.require(first <= LOAD, || format!("{}: a load of {first:.3}", fleet.name));
        }
        self.add_notes(outcome);
    }

    fn add_notes(&mut self, outcome: &Outcome) {
        let Outcome { fleet, totals, pool, .. } = outcome;
        if fleet.name == FLEET {
            let (calls, asked) = (totals.all(Field::Calls, 0..3), totals.all(Field::Asked, 0..3));
            self.note(fleet.name, format!("{calls} calls before the outage, and {asked} requests to Redis"));
            self.require(asked == 0, || format!("{asked} requests to Redis without a failure"));
            let tokens = pool.unwrap_or(0);
            self.note(
                fleet.name,
                format!("{tokens} tokens in the pool after two seconds of successes and the end of all processes"),
            );
        }
        let troubled = |field, seconds| totals.of(TROUBLED, field, seconds);
        let held = troubled(Field::Held, 2..3);
        if fleet.does(Action::SuspendMembers) {
            let (retries, granted) = (troubled(Field::Retries, 13..16), troubled(Field::Granted, 13..16));
            let most = (TROUBLED.len() as u64 * reserve() + granted) / COST;
            self.note(
                fleet.name,
                format!(
                    "they held {held} tokens when they were suspended, for longer than a lease is valid; then, with {granted} new tokens, {retries} retries of at most {most}"
                ),
            );
            self.require(retries <= most, || format!("{}: {retries} retries of {most} afterwards", fleet.name));
        }
        if fleet.does(Action::KillMembers) {
            self.note(fleet.name, format!("they held {held} tokens, which are lost"));
        }
    }

    fn note(&mut self, name: &str, text: String) {
        self.notes.push(format!("{name}: {text}"));
    }

    fn require(&mut self, holds: bool, error: impl FnOnce() -> String) {
        if !holds {
            self.errors.push(error());
        }
    }

    pub(crate) fn end(self) -> ExitCode {
        println!();
        self.notes.iter().for_each(|note| println!("{note}"));
        self.errors.iter().for_each(|error| println!("BEYOND ITS BOUND: {error}"));
        if self.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn reserve() -> u64 {
    u64::from(RESERVE) * COST
}

/// The largest number of retries during the outage, in which no success earns tokens.
fn most_retries(outcome: &Outcome) -> u64 {
    let Outcome { fleet, totals, lives, .. } = outcome;
    let members = fleet.members as u64;
    if fleet.kind.is_local() {
        return members * CAPACITY / COST;
    }
    // With failures before the outage, a process has up to a lease when it begins.
    let at_start = if fleet.percent > 0 { reserve().max(SIZE.into()) } else { reserve() };
    // A suspended process has its reserve when it resumes, and so has one that takes the place of another.
    let is_troubled = fleet.does(Action::SuspendMembers) || fleet.does(Action::KillMembers);
    let troubled = if is_troubled { TROUBLED.len() as u64 } else { 0 };
    let local = (members - troubled) * at_start + troubled * reserve();
    let pool = if fleet.kind == Kind::LeasedWithoutRedis { 0 } else { CAPACITY * lives };
    // Tokens that the last successes before the outage have earned, and returned leases.
    let credit = totals.all(Field::Credit, OUTAGE);
    (local + pool + credit) / COST
}
