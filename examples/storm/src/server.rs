//! Models of servers.

use std::cell::Cell;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use retry_runtime::outcome::NoRetry;
use retry_runtime::{Class, Retryable, TimedOut};

use super::random;
use super::world::World;

/// A model of a server.
#[derive(Clone, Debug)]
pub(super) enum Server {
    /// Refuses this share of requests independently, and responds to the others at once.
    Flaky(f64),
    /// Processes requests one at a time, in the order of arrival.
    Queue {
        /// The time for one request.
        work: Duration,
        /// The period in which the server stops.
        freeze: Range<Duration>,
        /// The time at which the queue is empty.
        done_at: Cell<Duration>,
    },
}

impl Server {
    /// Refuses every request.
    pub(super) const DOWN: Self = Self::Flaky(1.0);

    /// Creates a queue with a capacity in requests per second, which stops during `freeze`.
    pub(super) const fn queue(capacity: f64, freeze: Range<Duration>) -> Self {
        let work = Duration::from_nanos((1e9 / capacity) as u64);
        Self::Queue { work, freeze, done_at: Cell::new(Duration::ZERO) }
    }

    pub(super) async fn respond(&self, world: &World) -> Result<(), Fault> {
        match self {
            Self::Flaky(share) if random::uniform() < *share => Err(Fault::Refused),
            Self::Flaky(_) => Ok(()),
            Self::Queue { work, freeze, done_at } => {
                let start = done_at.get().max(world.now());
                let start = if freeze.contains(&start) { freeze.end } else { start };
                // The end of this request is already known: requests do not overtake each other, and the server completes the
                // work even if the client has timed out.
                done_at.set(start + *work);
                world.sleep(done_at.get() - world.now()).await;
                Ok(())
            }
        }
    }
}

/// The reason for a missing response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Refused,
    TimedOut,
    /// A service in between has made all its retries. HTTP has a header for that.
    RetriedBelow,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
            Self::RetriedBelow => "retried below",
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
    fn no_retry(&self) -> Option<NoRetry> {
        (*self == Self::RetriedBelow).then_some(NoRetry::ExhaustedBelow)
    }
}
