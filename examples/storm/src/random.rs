//! Seeded random numbers, which are the same in each run.

use std::cell::RefCell;
use std::f64::consts::TAU;
use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

thread_local! {
    static GENERATOR: RefCell<Xoshiro256PlusPlus> = RefCell::new(Xoshiro256PlusPlus::seed_from_u64(0));
}

/// Seeds the random numbers of this thread, also those that the library draws.
pub(super) fn seed(seed: u64) {
    fastrand::seed(seed);
    GENERATOR.set(Xoshiro256PlusPlus::seed_from_u64(seed));
}

/// Returns a uniform number in `[0, 1)`, for `Policy::random_source`.
pub(super) fn uniform() -> f64 {
    GENERATOR.with_borrow_mut(|generator| generator.random())
}

/// Returns a number of a normal distribution, by the Box–Muller transform.
pub(super) fn normal(mean: f64, deviation: f64) -> f64 {
    // Avoid 0, whose logarithm is infinite.
    let radius = (-2.0 * (1.0 - uniform()).ln()).sqrt();
    mean + deviation * radius * (TAU * uniform()).cos()
}

/// A Poisson process with a separate generator, so that calls arrive at the same times whatever numbers the clients draw.
pub(super) struct Arrivals {
    generator: Xoshiro256PlusPlus,
    rate: f64,
}

impl Arrivals {
    pub(super) fn new(seed: u64, rate: u32) -> Self {
        Self { generator: Xoshiro256PlusPlus::seed_from_u64(seed), rate: rate.into() }
    }

    /// Returns the time until the next arrival.
    pub(super) fn gap(&mut self) -> Duration {
        Duration::from_secs_f64(-(1.0 - self.generator.random::<f64>()).ln() / self.rate)
    }

    /// Picks one of `count` targets.
    pub(super) fn pick(&mut self, count: usize) -> usize {
        self.generator.random_range(0..count)
    }
}
