//! Scripts: the outcomes of attempts, listed in advance.

use core::fmt;
use std::collections::VecDeque;
use std::sync::Mutex;

use crate::util::sync::lock;

/// The outcomes of attempts, listed in advance: "fail twice, then succeed".
///
/// A script replaces the service: use it in a fake, or in the closure of [`Policy::run`](crate::Policy::run). To share it
/// with spawned tasks, put it in an `Arc`.
///
/// ```
/// use std::io::{self, ErrorKind};
/// use retry_runtime::Policy;
/// use retry_runtime::testing::{Script, simulate};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let refused = || io::Error::from(ErrorKind::ConnectionRefused);
/// let script = Script::new([Err(refused()), Err(refused()), Ok("hello")]);
/// let (outcome, _) = simulate(Policy::new().run(|_| async { script.next() })).await;
/// assert_eq!(outcome.unwrap(), "hello");
/// assert_eq!(script.calls(), 3);
/// # });
/// ```
pub struct Script<T>(Mutex<Outcomes<T>>);

struct Outcomes<T> {
    calls: usize,
    left: VecDeque<T>,
}

impl<T> Script<T> {
    /// Creates a script that returns these outcomes, in this order.
    #[must_use]
    pub fn new(outcomes: impl IntoIterator<Item = T>) -> Self {
        Self(Mutex::new(Outcomes { calls: 0, left: outcomes.into_iter().collect() }))
    }

    /// Returns the next outcome.
    ///
    /// # Panics
    ///
    /// If no outcome is left. The message has the number of outcomes.
    #[track_caller]
    pub fn next(&self) -> T {
        let (calls, outcome) = {
            let mut inside = lock(&self.0);
            inside.calls += 1;
            (inside.calls, inside.left.pop_front())
        };
        outcome.unwrap_or_else(|| {
            panic!("the script has {} outcomes, and was asked for one more: call {calls}", calls - 1)
        })
    }

    /// The number of calls of [`next`](Self::next).
    #[must_use]
    pub fn calls(&self) -> usize {
        lock(&self.0).calls
    }

    /// The number of outcomes that are left.
    #[must_use]
    pub fn left(&self) -> usize {
        lock(&self.0).left.len()
    }
}

impl<T> fmt::Debug for Script<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("calls", &self.calls()).field("left", &self.left()).finish()
    }
}
