//! A process of a fleet: it makes calls to a service that fails at the same time for all processes.

use std::io::{self, ErrorKind};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use retry_redis::RedisStore;
use retry_runtime::fleet::{Lease, LeaseEvent, LeaseEventKind, LeaseRequest, LeaseStore};
use retry_runtime::{Budget, Executor, Policy};
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

use crate::counts::{Clock, Counts, Field};
use crate::{CAPACITY, END, OUTAGE, RESERVE, SIZE};

static STANDARD: Budget = Budget::new();
static FIXED: Budget = Budget::new().capacity(CAPACITY as u32);
static LEASED: Budget = Budget::leased(RESERVE).lease_size(SIZE).on_lease_event(on_lease_event);

const POLICY: Policy = Policy::fixed(Duration::from_millis(50)).attempts(4);
static WITH_STANDARD: Policy = POLICY.budget(|| &STANDARD);
static WITH_FIXED: Policy = POLICY.budget(|| &FIXED);
static WITH_LEASED: Policy = POLICY.budget(|| &LEASED);

static COUNTS: OnceLock<Counts> = OnceLock::new();

fn counts() -> &'static Counts {
    COUNTS.get().unwrap()
}

/// The arguments of a process.
pub(crate) struct Arguments {
    /// The file with the counts.
    pub(crate) counts: String,
    /// The number of the process in its fleet.
    pub(crate) member: usize,
    /// The share of the attempts that fail before the outage.
    pub(crate) percent: u32,
    pub(crate) calls_per_second: f64,
    /// The address of the Redis server from which the budget is leased. Otherwise `standard` or `fixed`.
    pub(crate) budget: String,
}

impl Arguments {
    pub(crate) fn to_vec(&self) -> Vec<String> {
        let Self { counts, member, percent, calls_per_second, budget } = self;
        let numbers = [member.to_string(), percent.to_string(), calls_per_second.to_string()];
        [vec!["member".to_owned(), counts.clone()], numbers.to_vec(), vec![budget.clone()]].concat()
    }

    fn of(arguments: &[String]) -> Self {
        let [counts, member, percent, calls_per_second, budget] = arguments else { panic!("{arguments:?}") };
        Self {
            counts: counts.clone(),
            member: member.parse().unwrap(),
            percent: percent.parse().unwrap(),
            calls_per_second: calls_per_second.parse().unwrap(),
            budget: budget.clone(),
        }
    }
}

/// Makes calls from the time in the first line of the standard input.
pub(crate) fn run(arguments: &[String]) {
    let arguments = Arguments::of(arguments);
    let mut start = String::new();
    io::stdin().read_line(&mut start).unwrap();
    let Ok(start) = start.trim().parse() else { return };
    let counts = Counts::open(&arguments.counts, arguments.member, Clock::of(start));
    assert!(COUNTS.set(counts).is_ok());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(serve(arguments));
}

async fn serve(arguments: Arguments) {
    let (stop, stopped) = oneshot::channel::<()>();
    let leasing = arguments.budget.starts_with("redis").then(|| {
        let store = Counted(RedisStore::new(&*arguments.budget, crate::KEY).unwrap());
        tokio::spawn(LEASED.lease_until(store, async move {
            let _ = stopped.await;
        }))
    });
    let (policy, budget) = match &*arguments.budget {
        "standard" => (&WITH_STANDARD, &STANDARD),
        "fixed" => (&WITH_FIXED, &FIXED),
        _ => (&WITH_LEASED, &LEASED),
    };
    let period = Duration::from_secs_f64(1.0 / arguments.calls_per_second);
    // Spread over the period, as the calls of independent processes are.
    let phase = period.mul_f64((arguments.member * 7 % 50) as f64 / 50.0);
    let first = (counts().clock.at(0.0) + phase).max(Instant::now());
    let mut ticks = tokio::time::interval_at(first.into(), period);
    // A process that was suspended makes all calls that it has missed.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut number = arguments.member as u32 * 31;
    while counts().clock.seconds() < END as f64 {
        ticks.tick().await;
        number += 1;
        tokio::spawn(call(policy, budget, arguments.percent, number));
    }
    if let Some(leasing) = leasing {
        let _ = stop.send(());
        leasing.await.unwrap();
    }
}

async fn call(policy: &'static Policy, budget: &'static Budget, percent: u32, mut number: u32) {
    let second = counts().clock.second();
    counts().add_at(second, Field::Calls, 1);
    // In the second of its call, so that the two can be compared.
    counts().add_at(second, Field::Requests, 1);
    let mut retry = Executor::new(policy);
    loop {
        match retry.attempt(request(percent, number)).await {
            Ok(()) => break retry.succeed(()),
            Err(error) => match retry.pause(error) {
                Ok(pause) => {
                    counts().add(Field::Retries, 1);
                    pause.await;
                    counts().add(Field::Requests, 1);
                }
                Err(_) => break,
            },
        }
        number += 1;
    }
    counts().set(Field::Held, budget.tokens());
}

/// The service.
async fn request(percent: u32, number: u32) -> io::Result<()> {
    let second = counts().clock.second();
    let fails = if second < OUTAGE.start { number * 37 % 100 < percent } else { second < OUTAGE.end };
    if fails { Err(ErrorKind::ConnectionRefused.into()) } else { Ok(()) }
}

/// A store that counts what the process gives and gets.
struct Counted(RedisStore);

impl LeaseStore for Counted {
    type Error = <RedisStore as LeaseStore>::Error;

    async fn lease(&self, request: LeaseRequest) -> Result<Lease, Self::Error> {
        let second = counts().clock.second();
        counts().add_at(second, Field::Asked, 1);
        // Before the answer, because Redis may process the request and then not answer.
        counts().add_at(second, Field::Credit, request.credit);
        let lease = self.0.lease(request).await?;
        counts().add(Field::Granted, lease.granted);
        if counts().clock.second() != second {
            // In both seconds, because it is unknown in which one it was added.
            counts().add(Field::Credit, request.credit);
        }
        Ok(lease)
    }
}

fn on_lease_event(event: &LeaseEvent<'_>) {
    if let LeaseEventKind::StoreFailed { .. } = event.kind {
        counts().add(Field::Away, 1);
    }
}
