//! What is known of the attempt that runs.

use core::time::Duration;

use crate::classify::failure::Failure;
use crate::util::clock::Instant;

/// One run of the body: its number, and what is known of the call so far.
///
/// Handed to a custom backoff and to the operation of [`Policy::run`], bound in an annotated function with
/// `bind = name`, and given by [`Executor::current`](crate::Executor::current). A plain `Copy` value.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    number: u32,
    attempts: Option<u32>,
    started: Option<Instant>,
    deadline: Option<Duration>,
    /// The deadline of the attempt around.
    outer_deadline: Option<Instant>,
    last_failure: Option<Failure>,
}

impl Attempt {
    pub(crate) fn new(
        number: u32,
        attempts: Option<u32>,
        started: Option<Instant>,
        deadline: Option<Duration>,
        outer_deadline: Option<Instant>,
        last_failure: Option<Failure>,
    ) -> Self {
        Self { number, attempts, started, deadline, outer_deadline, last_failure }
    }

    /// The number of the attempt, from 1.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The most attempts there may be, the first included; `None` without a limit.
    #[must_use]
    pub fn attempts(&self) -> Option<u32> {
        self.attempts
    }

    /// Whether no attempt follows this one, whatever its outcome.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.attempts().is_some_and(|attempts| self.number >= attempts)
    }

    /// The time since the first attempt started.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.map_or(Duration::ZERO, |started| Instant::now().saturating_duration_since(started))
    }

    /// The time left until the deadline, zero once it has passed; `None` without one.
    ///
    /// Inside of an attempt of another call that has a deadline, it is at most what that one has left.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.own_remaining().into_iter().chain(self.outer_remaining()).min()
    }

    /// The time left until the call's own deadline.
    pub(crate) fn own_remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_sub(self.elapsed()))
    }

    /// The time left until the deadline of a call around.
    pub(crate) fn outer_remaining(&self) -> Option<Duration> {
        self.outer_deadline.map(|outer| outer.saturating_duration_since(Instant::now()))
    }

    /// What is known of the failure of the attempt before; for a custom backoff, of the attempt itself, which
    /// has just failed. `None` before the first failure.
    #[must_use]
    pub fn last_failure(&self) -> Option<Failure> {
        self.last_failure
    }

    /// The element for this attempt: the first for attempt 1, and so on; the last one repeats. For elements that are not
    /// `Copy`, see [`pick_ref`](Self::pick_ref).
    ///
    /// ```
    /// # use retry_runtime::Attempt;
    /// fn mirror(attempt: &Attempt) -> &'static str {
    ///     attempt.pick(&["https://one.example", "https://two.example"])
    /// }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if `choices` is empty.
    #[must_use]
    #[track_caller]
    pub fn pick<T: Copy>(&self, choices: &[T]) -> T {
        *self.pick_ref(choices)
    }

    /// A reference to the element for this attempt: the first for attempt 1, and so on; the last one repeats.
    ///
    /// ```
    /// # use retry_runtime::Attempt;
    /// fn mirror<'a>(attempt: &Attempt, mirrors: &'a [String]) -> &'a String {
    ///     attempt.pick_ref(mirrors)
    /// }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if `choices` is empty.
    #[must_use]
    #[track_caller]
    pub fn pick_ref<'a, T>(&self, choices: &'a [T]) -> &'a T {
        assert!(!choices.is_empty(), "expected at least one element to choose from");
        &choices[(self.number as usize - 1).min(choices.len() - 1)]
    }
}
