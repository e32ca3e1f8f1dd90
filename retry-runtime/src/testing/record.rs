//! The record of a simulation: its events, delays and attempts, and assertions about them.

use core::fmt::{self, Display};
use core::time::Duration;
use std::collections::HashMap;

use super::Simulation;
use crate::observe::event::GiveUp;
use crate::observe::owned::{OwnedEvent, OwnedEventKind};

/// The record of all calls so far.
impl Simulation {
    /// The events of all calls, in the order in which they happened.
    #[must_use]
    pub fn events(&self) -> Vec<OwnedEvent> {
        self.recorder.events().clone()
    }

    /// The delays, one for each retry, whether they were slept or not.
    #[must_use]
    pub fn delays(&self) -> Vec<Duration> {
        self.all(|kind| match kind {
            OwnedEventKind::Waiting { delay, .. } => Some(*delay),
            _ => None,
        })
    }

    /// The number of attempts, first attempts and retries, with those that a breaker rejected.
    #[must_use]
    pub fn attempts(&self) -> usize {
        let events = self.recorder.events();
        let mut running = HashMap::<_, usize>::new();
        let attempts = events.iter().filter(|event| {
            let running = running.entry((&event.name, event.attempt)).or_default();
            match event.kind {
                OwnedEventKind::AttemptStarted => {
                    *running += 1;
                    true
                }
                // A loop that only reports its outcomes has no event when an attempt starts.
                OwnedEventKind::AttemptFailed { .. } | OwnedEventKind::NotReady | OwnedEventKind::Succeeded => {
                    let is_new = *running == 0;
                    *running = running.saturating_sub(1);
                    is_new
                }
                _ => false,
            }
        });
        attempts.count()
    }

    /// The reason why the last call that gave up did so; `None` if no call has.
    #[must_use]
    pub fn gave_up(&self) -> Option<GiveUp> {
        let reason = |kind: &_| if let OwnedEventKind::GaveUp(reason) = kind { Some(*reason) } else { None };
        self.all(reason).last().copied()
    }

    fn all<T>(&self, part: impl Fn(&OwnedEventKind) -> Option<T>) -> Vec<T> {
        self.recorder.events().iter().filter_map(|event| part(&event.kind)).collect()
    }

    /// Asserts that the [`delays`](Self::delays) are equal to `expected`.
    ///
    /// # Panics
    ///
    /// If they are not. The message also has the events.
    #[track_caller]
    pub fn assert_delays(&self, expected: impl IntoIterator<Item = Duration>) {
        let (expected, delays) = (expected.into_iter().collect::<Vec<_>>(), self.delays());
        assert!(
            delays == expected,
            "the delays were not as expected\nexpected: {expected:?}\n     was: {delays:?}\n\n{self}"
        );
    }

    /// Asserts that the events are equal to `expected`, which has a line for each event, written as its [`Display`] writes it.
    /// White space around lines and empty lines are ignored, so the text may be indented.
    ///
    /// ```
    /// # use retry_runtime::{Policy, testing::simulate};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let policy = Policy::fixed(std::time::Duration::from_secs(5));
    /// let call = policy.run(|attempt| async move { (attempt.number() == 2).then_some(()) });
    /// let (_, simulation) = simulate(call).await;
    /// simulation.assert_events(
    ///     "attempt 1 of 3 starts
    ///      attempt 1 of 3 failed: a failure of unknown class
    ///      next attempt in 5s
    ///      attempt 2 of 3 starts
    ///      attempt 2 of 3 succeeded",
    /// );
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If they are not. In the message, lines with `-` were expected but did not happen, and lines with `+` happened instead.
    #[track_caller]
    pub fn assert_events(&self, expected: &str) {
        let text = self.to_string();
        let (expected, lines) = (lines_of(expected), lines_of(&text));
        assert!(lines == expected, "the events were not as expected\n{}", difference(&expected, &lines));
    }
}

/// Writes the events, a line for each.
impl Display for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.events().iter().try_for_each(|event| writeln!(f, "{event}"))
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("max_attempts", &self.max_attempts)
            .field("keeps_delays", &self.keeps_delays)
            .field("events", &self.events())
            .finish_non_exhaustive()
    }
}

fn lines_of(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// A diff of both texts: the common lines at the start and the end once, with the different lines between them.
fn difference(expected: &[&str], lines: &[&str]) -> String {
    let alike = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| pairs.take_while(|(one, other)| one == other).count();
    let before = alike(&mut expected.iter().zip(lines));
    let (missing, extra) = (&expected[before..], &lines[before..]);
    let after = alike(&mut missing.iter().rev().zip(extra.iter().rev()));
    let (missing, extra) = (&missing[..missing.len() - after], &extra[..extra.len() - after]);
    let marked = |mark: char, part: &[&str]| part.iter().map(|line| format!("{mark} {line}\n")).collect::<String>();
    let (head, tail) = (&lines[..before], &lines[lines.len() - after..]);
    [marked(' ', head), marked('-', missing), marked('+', extra), marked(' ', tail)].concat()
}
