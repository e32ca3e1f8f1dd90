//! `Attempt`, a snapshot of a running attempt: its number, its limits and the last failure.

use core::time::Duration;

use crate::classify::failure::Failure;
use crate::util::clock::Instant;

/// An attempt of a call: its number, and the state of the call so far.
///
/// A custom backoff and the operation of [`Policy::run`](crate::Policy::run) receive it as an argument. In an annotated
/// function, `bind = name` binds it to a variable; in a hand-written loop,
/// [`Executor::current`](crate::Executor::current) returns it. A plain `Copy` value.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    number: u32,
    attempts: Option<u32>,
    started: Option<Instant>,
    deadline: Option<Duration>,
    /// The deadline of the call around this one.
    outer_deadline: Option<Instant>,
    /// The end of the attempt by the policy's attempt timeout.
    cut_off_at: Option<Instant>,
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
        Self { number, attempts, started, deadline, outer_deadline, cut_off_at: None, last_failure }
    }

    /// Says that the attempt starts now, and has this time limit.
    pub(crate) fn limited_to(self, timeout: Option<Duration>) -> Self {
        // Without a limit, the clock is not read.
        Self { cut_off_at: timeout.and_then(|timeout| Instant::now().checked_add(timeout)), ..self }
    }

    /// The number of the attempt, starting at 1.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The limit on attempts, including the first one; `None` without a limit.
    #[must_use]
    pub fn attempts(&self) -> Option<u32> {
        self.attempts
    }

    /// Returns `true` if the limit on attempts allows no attempt after this one.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.attempts().is_some_and(|attempts| self.number >= attempts)
    }

    /// The time since the call started.
    ///
    /// In a hand-written loop, the time before the call first waits may be missing: see [`Executor::new`](crate::Executor::new).
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.map_or(Duration::ZERO, |started| Instant::now().saturating_duration_since(started))
    }

    /// The time left until the deadline; zero once it has passed, `None` without a deadline.
    ///
    /// Inside an attempt of another call that has a deadline, it is at most the time left until that deadline. The attempt
    /// timeout does not count: see [`time_left`](Self::time_left).
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.own_remaining().into_iter().chain(self.outer_remaining()).min()
    }

    /// The time that the attempt has left until its caller stops waiting: until the deadline, the deadline of a call around this one,
    /// or the policy's attempt timeout, whichever is earliest. Zero once it has passed; `None` without any of them.
    ///
    /// The attempt timeout counts from the start of the attempt; in a hand-written loop, from the call of
    /// [`Executor::current`](crate::Executor::current). It counts even if the attempt is not cut off. In a custom backoff and in
    /// an `on_retry` hook, whose attempt has ended, it does not count.
    ///
    /// [`Propagation`](crate::propagation::Propagation) sends this time to the next service.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use retry_runtime::{Executor, Policy};
    /// let policy = Policy::new().deadline(Duration::from_secs(30)).attempt_timeout(Duration::from_secs(5));
    /// let attempt = Executor::new(&policy).current();
    /// assert!(attempt.time_left() <= Some(Duration::from_secs(5)));
    /// assert!(attempt.remaining() > Some(Duration::from_secs(5)));
    /// ```
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        let until_cut_off = self.cut_off_at.map(|at| at.saturating_duration_since(Instant::now()));
        until_cut_off.into_iter().chain(self.remaining()).min()
    }

    /// The time left until the call's own deadline.
    fn own_remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_sub(self.elapsed()))
    }

    /// The time left until the deadline of a call around this one.
    fn outer_remaining(&self) -> Option<Duration> {
        self.outer_deadline.map(|outer| outer.saturating_duration_since(Instant::now()))
    }

    /// The failure of the previous attempt. In a custom backoff, the failure of this attempt, which has just ended.
    /// `None` before the first failure, and after a value that was not ready yet.
    #[must_use]
    pub fn last_failure(&self) -> Option<Failure> {
        self.last_failure
    }

    /// Returns the element of `choices` for this attempt: the first one for attempt 1, the second one for attempt 2, and
    /// so on. The last element repeats. For elements that are not `Copy`, see [`pick_ref`](Self::pick_ref).
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

    /// Returns a reference to the element of `choices` for this attempt: the first one for attempt 1, the second one for
    /// attempt 2, and so on. The last element repeats.
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
