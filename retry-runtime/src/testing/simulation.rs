//! Simulations: a scope around a future, in which calls do not sleep and their events are recorded.

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

/// A simulation: runs a future without its delays, and records the events of its calls.
///
/// It includes all retries while the future is polled, at any depth: those of annotated functions,
/// [`Executor`](crate::Executor)s, [`Policy::run`](crate::Policy::run), requests, middleware and services. Every decision
/// and every event is the real one. A delay is decided, emitted and recorded, but not slept. The time limits of attempts are real: if an
/// attempt is pending, they start tokio's timer or the call's own.
///
/// A simulation belongs to the future, not to a thread or a task. It does not affect other futures, and any number of
/// simulations may run at the same time. If two are nested, calls in the inner one are recorded only there. A task that the
/// future spawns is not included, unless it [`run`](Self::run)s its work in a clone of the simulation, which writes to the
/// same record.
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
    /// Creates a simulation without delays, whose random numbers are the same in each run.
    #[must_use]
    pub fn new() -> Self {
        Self { max_attempts: None, keeps_delays: false, random: seeded(0), recorder: Arc::default() }
    }

    /// Sets the seed of the random numbers. Defaults to 0. The generator is xoshiro256++, which stays the same on all
    /// platforms.
    ///
    /// The numbers replace those of every [`random_source`](crate::Policy::random_source), including a policy's own. Calls draw
    /// them in the order in which they fail, so with several threads, tasks may draw them in a different order.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { random: seeded(seed), ..self }
    }

    /// Limits the attempts of each call, if its policy allows more. A limit of 1 switches retries off.
    ///
    /// # Panics
    ///
    /// If `attempts` is 0.
    #[must_use]
    #[track_caller]
    pub fn max_attempts(self, attempts: u32) -> Self {
        assert!(attempts > 0, "`max_attempts` includes the first attempt: write 1 for no retry at all");
        Self { max_attempts: Some(attempts), ..self }
    }

    /// Switches retries off: every call makes only its first attempt, and returns its outcome.
    #[must_use]
    pub fn without_retries(self) -> Self {
        self.max_attempts(1)
    }

    /// Sleeps every delay. With tokio's paused clock, that takes no time either, but the clock advances. Use it for tests
    /// of things that depend on the time between attempts, such as a [`Breaker`](crate::Breaker) or the deadline of an
    /// outer call.
    #[must_use]
    pub fn keep_delays(self) -> Self {
        Self { keeps_delays: true, ..self }
    }

    /// Runs the future, and returns its output. May be called any number of times; all runs share one record.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops `future` inside the simulation, so `Cancelled` is recorded for calls that were
    /// under way.
    pub fn run<F: Future>(&self, future: F) -> SimulatedFuture<F> {
        SimulatedFuture { simulation: self.clone(), future: Some(future) }
    }

    /// [`run`](Self::run) for blocking code.
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

/// Runs a future without its delays, and returns its output and the record of its calls. [`Simulation`] has further options. Needs no
/// async runtime.
///
/// # Cancel safety
///
/// Dropping the returned future drops `future`.
pub async fn simulate<F: Future>(future: F) -> (F::Output, Simulation) {
    let simulation = Simulation::new();
    (simulation.run(future).await, simulation)
}

pin_project! {
    /// The future of a simulation. Made by [`Simulation::run`].
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the future inside.
    #[derive(Debug)]
    #[must_use = "a simulation does nothing unless it is awaited"]
    pub struct SimulatedFuture<F> {
        simulation: Simulation,
        // Empty only while it is dropped: `drop` has to end the future while the simulation is still current.
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
