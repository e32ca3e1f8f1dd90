//! Calls that come at a constant rate, and what becomes of them.

use std::ops::ControlFlow::{Break, Continue};
use std::rc::Rc;
use std::time::Duration;

use retry_runtime::{Condition, Executor, Policy};

use super::random::{self, Arrivals};
use super::record::Record;
use super::retries::{Process, Retries};
use super::server::Server;
use super::world::World;

/// Calls a second, in all processes together.
pub(super) const RATE: u32 = 1000;

/// What a scenario is seeded with, unless it is run for the scatter.
pub(super) const SEED: u64 = 2015;

/// Calls to a server for a while.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    /// What they are sent to.
    pub(super) server: Server,
    /// Who retries them.
    pub(super) retries: Retries,
    /// How many processes make them, each with a budget of its own.
    pub(super) processes: usize,
    /// How long they come.
    pub(super) length: Duration,
    /// Of all randomness. The calls come at the same times, whatever else differs.
    pub(super) seed: u64,
}

/// What calls share.
struct Shared {
    world: World,
    server: Server,
    policy: Policy,
    record: Record,
}

impl Scenario {
    /// Calls of one process.
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
        let outcome = retry.attempt(server.answer(world)).await;
        process.decides();
        match retry.next(outcome, &Condition::new()) {
            Break(Ok(())) => break record.success(world.now()),
            Break(Err(_)) => break,
            Continue(pause) => pause.await,
        }
    }
}
