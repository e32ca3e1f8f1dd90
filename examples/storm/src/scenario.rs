//! Scenarios: calls at a constant rate and their outcomes.

use std::ops::ControlFlow::{Break, Continue};
use std::rc::Rc;
use std::time::Duration;

use retry_runtime::{Condition, Executor, Policy};

use super::fleet::{Fleet, Process};
use super::random::{self, Arrivals};
use super::record::Record;
use super::retries::Retries;
use super::server::{Fault, Server};
use super::world::World;

/// Calls per second of all processes together.
pub(super) const RATE: u32 = 1000;

/// The default seed of a scenario.
pub(super) const SEED: u64 = 2015;

/// Calls to a server for a period of time.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    /// The server that receives the requests.
    pub(super) server: Server,
    /// The way to retry.
    pub(super) retries: Retries,
    /// The number of processes, each with its own budget.
    pub(super) processes: usize,
    /// The time before the scenario, in which the server processes every request at once, and nothing is recorded.
    pub(super) warm_up: Duration,
    /// The duration of the scenario.
    pub(super) length: Duration,
    /// The seed of all random numbers. Calls arrive at the same times in all scenarios with the same seed.
    pub(super) seed: u64,
}

/// State that all calls share.
struct Shared {
    world: World,
    server: Server,
    policy: Policy,
    warm_up: Duration,
    /// The process that makes the retries, if it is not the one that makes the call.
    gateway: Option<Process>,
    record: Record,
}

impl Shared {
    /// The time since the warm-up, or `None` if it has not ended.
    fn time(&self) -> Option<Duration> {
        self.world.now().checked_sub(self.warm_up)
    }

    async fn request(&self) -> Result<(), Fault> {
        let Some(time) = self.time() else { return Ok(()) };
        self.record.request(time);
        self.server.respond(&self.world).await
    }
}

impl Scenario {
    /// Creates a scenario with one process.
    pub(super) const fn new(server: Server, retries: Retries, length: Duration) -> Self {
        Self { server, retries, processes: 1, warm_up: Duration::ZERO, length, seed: SEED }
    }

    /// Runs until the last call has ended.
    pub(super) fn run(self) -> Record {
        random::seed(self.seed);
        let world = World::default();
        let end = self.warm_up + self.length;
        let fleet = Fleet::new(self.retries, self.warm_up);
        let processes: Vec<_> = (0..self.processes).map(|_| fleet.process(&world, end)).collect();
        let shared = Rc::new(Shared {
            world: world.clone(),
            server: self.server,
            policy: self.retries.policy(),
            warm_up: self.warm_up,
            gateway: fleet.gateway(),
            record: Record::default(),
        });
        world.spawn(make_calls(Rc::clone(&shared), processes, Arrivals::new(self.seed, RATE), end));
        world.run();
        shared.record.clone()
    }
}

async fn make_calls(shared: Rc<Shared>, processes: Vec<Process>, mut arrivals: Arrivals, length: Duration) {
    loop {
        shared.world.sleep(arrivals.gap()).await;
        if shared.world.now() >= length {
            break;
        }
        shared.world.spawn(call(Rc::clone(&shared), processes[arrivals.pick(processes.len())]));
    }
}

async fn call(shared: Rc<Shared>, process: Process) {
    let time = shared.time();
    if let Some(time) = time {
        shared.record.call(time);
    }
    let outcome = match shared.gateway {
        // The client's own retries would follow only a failure that the gateway has not retried.
        Some(gateway) => retry(&shared, process, || gateway_call(&shared, gateway)).await,
        None => retry(&shared, process, || shared.request()).await,
    };
    if let (Ok(()), Some(_), Some(now)) = (outcome, time, shared.time()) {
        shared.record.success(now);
    }
}

/// A call of the gateway. The failure tells the client that it has been retried.
async fn gateway_call(shared: &Shared, gateway: Process) -> Result<(), Fault> {
    retry(shared, gateway, || shared.request()).await.map_err(|_| Fault::RetriedBelow)
}

/// Calls a server with the retries of this process.
async fn retry<F: Future<Output = Result<(), Fault>>>(
    shared: &Shared,
    process: Process,
    call: impl Fn() -> F,
) -> Result<(), Fault> {
    let Shared { world, policy, .. } = shared;
    let mut retry = Executor::new(policy).sleep(|delay| world.sleep(delay));
    loop {
        let outcome = retry.attempt(call()).await;
        process.enter();
        if !process.allows(&outcome) {
            return outcome;
        }
        match retry.next(outcome, &Condition::new()) {
            Break(outcome) => return outcome,
            Continue(pause) => pause.await,
        }
    }
}
