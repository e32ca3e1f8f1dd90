//! A scope around a future in which nothing sleeps.

use core::any::Any;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::{Arc, Mutex};

use pin_project_lite::pin_project;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use crate::context::simulation::SimulationScope;
use crate::context::values::Simulated;
use crate::observe::recorder::Recorder;
use crate::util::sync::lock;

/// Runs a future without its delays, and keeps a record of what its calls did.
///
/// All retrying that happens while the future is polled is part of it: annotated functions, [`Executor`](crate::Executor)s,
/// [`Policy::run`](crate::Policy::run), requests, middleware and services, at any depth. Each decision is the real one, and so is
/// each event; a delay is decided on, said, recorded, and not slept.
///
/// It belongs to the future, not to a thread or a task: others do not notice, and any number may run at the same time. Of two that
/// are nested, the inner one has its calls alone. What the future spawns is on its own, unless it is given a clone to
/// [`run`](Self::run) in, which writes to the same record.
///
/// ```
/// use std::io::{self, ErrorKind};
/// use std::time::Duration;
/// use retry_runtime::retry;
/// use retry_runtime::testing::Simulation;
///
/// #[retry(attempts = 3, start = "1s")]
/// async fn connect() -> io::Result<()> {
///     Err(ErrorKind::ConnectionRefused.into())
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let simulation = Simulation::new();
/// simulation.run(connect()).await.unwrap_err();
/// simulation.assert_delays([Duration::from_secs(1), Duration::from_secs(2)]);
/// # });
/// ```
#[derive(Clone)]
pub struct Simulation {
    pub(super) max_attempts: Option<u32>,
    pub(super) keeps_delays: bool,
    random: Arc<Mutex<Xoshiro256PlusPlus>>,
    pub(super) recorder: Arc<Recorder>,
}

impl Default for Simulation {
    fn default() -> Self {
        Self::new()
    }
}

impl Simulation {
    /// Without delays, and with random numbers that are the same in each run.
    #[must_use]
    pub fn new() -> Self {
        Self { max_attempts: None, keeps_delays: false, random: seeded(0), recorder: Arc::default() }
    }

    /// Other random numbers; the seed is 0 if not said. The generator is xoshiro256++, which stays the same on all platforms.
    ///
    /// They replace those of every [`random_source`](crate::Policy::random_source), the policy's own included. Calls draw them in
    /// the order in which they fail, so tasks on several threads may change places.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { random: seeded(seed), ..self }
    }

    /// Lets each call make at most so many attempts, where its policy allows more. 1 switches retries off.
    ///
    /// # Panics
    ///
    /// When `attempts` is 0.
    #[must_use]
    #[track_caller]
    pub fn max_attempts(self, attempts: u32) -> Self {
        assert!(attempts > 0, "`max_attempts` counts the first call too: write 1 for no retry at all");
        Self { max_attempts: Some(attempts), ..self }
    }

    /// Switches retries off: every call makes its first attempt, and gives back what comes of it.
    #[must_use]
    pub fn without_retries(self) -> Self {
        self.max_attempts(1)
    }

    /// Sleeps each delay as it is. Under tokio's paused clock that takes no time either, and the clock moves on: for what is about
    /// the time that passes between attempts, such as a [`Breaker`](crate::Breaker) or the deadline of a call around.
    #[must_use]
    pub fn keep_delays(self) -> Self {
        Self { keeps_delays: true, ..self }
    }

    /// Runs the future; gives its output. May be called any number of times: there is one record of all.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the future, as a part of the rehearsal: the record has the event `Cancelled`.
    pub fn run<F: Future>(&self, future: F) -> SimulatedFuture<F> {
        SimulatedFuture { simulation: self.clone(), future: Some(future) }
    }

    /// [`run`](Self::run) for a function that blocks.
    pub fn run_blocking<O>(&self, body: impl FnOnce() -> O) -> O {
        let _scope = self.enter();
        body()
    }

    /// Makes this the current simulation, until the scope is dropped.
    fn enter(&self) -> SimulationScope {
        SimulationScope::new(Arc::new(self.clone()))
    }
}

impl Simulated for Simulation {
    fn max_attempts(&self) -> Option<u32> {
        self.max_attempts
    }

    fn skips_delays(&self) -> bool {
        !self.keeps_delays
    }

    fn random(&self) -> f64 {
        lock(&self.random).random()
    }

    fn recorder(&self) -> &(dyn Any + Send + Sync) {
        &*self.recorder
    }
}

fn seeded(seed: u64) -> Arc<Mutex<Xoshiro256PlusPlus>> {
    Arc::new(Mutex::new(Xoshiro256PlusPlus::seed_from_u64(seed)))
}

/// Runs the future without its delays: gives its output and the record of what happened. [`Simulation`] has what else there is.
///
/// # Cancel safety
///
/// Dropping it drops the future.
pub async fn simulate<F: Future>(future: F) -> (F::Output, Simulation) {
    let simulation = Simulation::new();
    (simulation.run(future).await, simulation)
}

pin_project! {
    /// The future of a rehearsal. Made by [`Simulation::run`].
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the future inside.
    #[derive(Debug)]
    #[must_use = "a rehearsal does nothing unless it is awaited"]
    pub struct SimulatedFuture<F> {
        simulation: Simulation,
        // Empty only while it is dropped.
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for SimulatedFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _scope = this.simulation.enter();
            this.future.set(None);
        }
    }
}

impl<F: Future> Future for SimulatedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _scope = this.simulation.enter();
        this.future.as_pin_mut().map_or(Poll::Pending, |future| future.poll(cx))
    }
}
