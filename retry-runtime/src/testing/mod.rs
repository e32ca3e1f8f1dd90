#![doc = include_str!("guide.md")]

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) mod current;
mod record;
mod rehearsal;
mod script;
#[cfg(feature = "testing-server")]
mod server;

pub use self::rehearsal::{Rehearsal, Rehearsed, rehearse};
pub use self::script::Script;
#[cfg(feature = "testing-server")]
pub use self::server::{Reply, Server};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is done under the lock leaves it half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
