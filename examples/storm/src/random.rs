//! Seeded randomness, so that each run is the same.

use std::cell::RefCell;
use std::f64::consts::TAU;
use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

thread_local! {
    static GENERATOR: RefCell<Xoshiro256PlusPlus> = RefCell::new(Xoshiro256PlusPlus::seed_from_u64(0));
}

/// Starts the thread's numbers anew.
pub(super) fn seed(seed: u64) {
    GENERATOR.set(Xoshiro256PlusPlus::seed_from_u64(seed));
}

/// Uniform in `[0, 1)`: what `Policy::random_source` takes.
pub(super) fn uniform() -> f64 {
    GENERATOR.with_borrow_mut(|generator| generator.random())
}

/// Of the normal distribution, by the Box–Muller transform.
pub(super) fn normal(mean: f64, deviation: f64) -> f64 {
    // Not 0, whose logarithm is infinite.
    let radius = (-2.0 * (1.0 - uniform()).ln()).sqrt();
    mean + deviation * radius * (TAU * uniform()).cos()
}

/// A Poisson process with numbers of its own: whatever the clients draw, the same calls come at the same times.
pub(super) struct Arrivals {
    generator: Xoshiro256PlusPlus,
    rate: f64,
}

impl Arrivals {
    pub(super) fn new(seed: u64, rate: u32) -> Self {
        Self { generator: Xoshiro256PlusPlus::seed_from_u64(seed), rate: rate.into() }
    }

    /// The time from one to the next.
    pub(super) fn gap(&mut self) -> Duration {
        Duration::from_secs_f64(-(1.0 - self.generator.random::<f64>()).ln() / self.rate)
    }

    /// Which of `count` it comes to.
    pub(super) fn pick(&mut self, count: usize) -> usize {
        self.generator.random_range(0..count)
    }
}
