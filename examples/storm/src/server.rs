//! What requests are sent to.

use std::cell::Cell;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use retry_runtime::{Class, Retryable, TimedOut};

use super::random;
use super::world::World;

/// A server.
#[derive(Clone, Debug)]
pub(super) enum Server {
    /// Refuses this share of all requests, each by itself, and answers the others at once.
    Flaky(f64),
    /// Works requests off one after the other, in the order in which they came.
    Queue {
        /// How long one takes.
        work: Duration,
        /// When it stands still.
        freeze: Range<Duration>,
        /// When it will have done what it has.
        done_at: Cell<Duration>,
    },
}

impl Server {
    /// Refuses every request.
    pub(super) const DOWN: Self = Self::Flaky(1.0);

    /// A queue for so many requests a second that stands still for a while.
    pub(super) const fn queue(capacity: f64, freeze: Range<Duration>) -> Self {
        let work = Duration::from_nanos((1e9 / capacity) as u64);
        Self::Queue { work, freeze, done_at: Cell::new(Duration::ZERO) }
    }

    pub(super) async fn answer(&self, world: &World) -> Result<(), Fault> {
        match self {
            Self::Flaky(share) if random::uniform() < *share => Err(Fault::Refused),
            Self::Flaky(_) => Ok(()),
            Self::Queue { work, freeze, done_at } => {
                let start = done_at.get().max(world.now());
                let start = if freeze.contains(&start) { freeze.end } else { start };
                // All is known now: no request overtakes another, and the work is done whether or not anybody waits for it.
                done_at.set(start + *work);
                world.sleep(done_at.get() - world.now()).await;
                Ok(())
            }
        }
    }
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Refused,
    TimedOut,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
        })
    }
}

impl From<TimedOut> for Fault {
    fn from(_: TimedOut) -> Self {
        Self::TimedOut
    }
}

impl Retryable for Fault {
    fn class(&self) -> Class {
        Class::Transient
    }
    fn is_timeout(&self) -> bool {
        *self == Self::TimedOut
    }
}
