//! What a rehearsal knows of its calls, and how a test asks for it.

use core::fmt::{self, Display};
use core::time::Duration;

use super::Simulation;
use crate::observe::event::GiveUp;
use crate::observe::owned::{OwnedEvent, OwnedEventKind};

/// What happened so far.
impl Simulation {
    /// All events, in the order in which they happened.
    #[must_use]
    pub fn events(&self) -> Vec<OwnedEvent> {
        self.recorder.events().clone()
    }

    /// The delays, those that were not slept too: one for each retry.
    #[must_use]
    pub fn delays(&self) -> Vec<Duration> {
        self.all(|kind| match kind {
            OwnedEventKind::Waiting { delay, .. } => Some(*delay),
            _ => None,
        })
    }

    /// How many attempts were made, first ones and retries.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.all(|kind| (*kind == OwnedEventKind::AttemptStarted).then_some(())).len()
    }

    /// Why the last call that gave up did so; `None` if none has.
    #[must_use]
    pub fn gave_up(&self) -> Option<GiveUp> {
        let why = |kind: &_| if let OwnedEventKind::GaveUp(why) = kind { Some(*why) } else { None };
        self.all(why).last().copied()
    }

    fn all<T>(&self, part: impl Fn(&OwnedEventKind) -> Option<T>) -> Vec<T> {
        self.recorder.events().iter().filter_map(|event| part(&event.kind)).collect()
    }

    /// Asserts that these were the [`delays`](Self::delays); the message has the events too.
    ///
    /// # Panics
    ///
    /// When they were others.
    #[track_caller]
    pub fn assert_delays(&self, expected: impl IntoIterator<Item = Duration>) {
        let (expected, delays) = (expected.into_iter().collect::<Vec<_>>(), self.delays());
        assert!(
            delays == expected,
            "the delays were not as expected\nexpected: {expected:?}\n     was: {delays:?}\n\n{self}"
        );
    }

    /// Asserts that these were the events, a line for each as its [`Display`] says it. White space around lines and empty lines
    /// do not count, so the text may be indented.
    ///
    /// ```
    /// # use retry_runtime::{Policy, testing::simulate};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let policy = Policy::fixed(std::time::Duration::from_secs(5));
    /// let (_, simulation) = simulate(policy.run(|attempt| async move { (attempt.number() == 2).then_some(()) })).await;
    /// simulation.assert_events(
    ///     "attempt 1 of 3 starts
    ///      attempt 1 of 3 failed: a failure of which nothing is known
    ///      next attempt in 5s
    ///      attempt 2 of 3 starts
    ///      attempt 2 of 3 succeeded",
    /// );
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// When they were others. Of the message's lines, those with `-` were expected and did not come, those with `+` came.
    #[track_caller]
    pub fn assert_events(&self, expected: &str) {
        let text = self.to_string();
        let (expected, lines) = (lines_of(expected), lines_of(&text));
        assert!(lines == expected, "the events were not as expected\n{}", difference(&expected, &lines));
    }
}

/// The events, a line for each.
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

/// The lines of both, where they begin and end alike once.
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
