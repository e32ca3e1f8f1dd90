//! Scenarios: calls at a constant rate and their outcomes.

use std::ops::ControlFlow::{Break, Continue};
use std::rc::Rc;
use std::time::Duration;

use retry_runtime::{Condition, Executor, Policy};

use super::random::{self, Arrivals};
use super::record::Record;
use super::retries::{Process, Retries};
use super::server::Server;
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
    record: Record,
}

impl Scenario {
    /// Creates a scenario with one process.
    pub(super) const fn new(server: Server, retries: Retries, length: Duration) -> Self {
        Self { server, retries, processes: 1, length, seed: SEED }
    }

    /// Runs until the last call has ended.
    pub(super) fn run(self) -> Record {
        random::seed(self.seed);
        let world = World::default();
        let processes: Vec<_> = (0..self.processes).map(|_| self.retries.process()).collect();
        let shared = Rc::new(Shared {
            world: world.clone(),
            server: self.server,
            policy: self.retries.policy(),
            record: Record::default(),
        });
        world.spawn(make_calls(Rc::clone(&shared), processes, Arrivals::new(self.seed, RATE), self.length));
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
    let Shared { world, server, policy, record } = &*shared;
    record.call(world.now());
    let mut retry = Executor::new(policy).sleep(|delay| world.sleep(delay));
    loop {
        record.request(world.now());
        let outcome = retry.attempt(server.respond(world)).await;
        process.enter();
        match retry.next(outcome, &Condition::new()) {
            Break(Ok(())) => break record.success(world.now()),
            Break(Err(_)) => break,
            Continue(pause) => pause.await,
        }
    }
}
