#![doc = include_str!("guide.md")]

use std::sync::{Mutex, MutexGuard, PoisonError};

mod record;
mod script;
#[cfg(feature = "testing-server")]
mod server;
mod simulation;

pub use self::script::Script;
#[cfg(feature = "testing-server")]
pub use self::server::{Reply, Server};
pub use self::simulation::{Simulated, Simulation, simulate};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is done under the lock leaves it half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
