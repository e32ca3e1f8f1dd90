//! A record of a call: its steps, each with its time.

use std::sync::Mutex;
use std::time::Duration;

use retry_runtime::event::{DelaySource, EventKind, GiveUp};
use retry_runtime::{Event, Observer};
use tokio::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    Started {
        number: u32,
    },
    /// The attempt ran to its end.
    Ran {
        number: u32,
    },
    Failed {
        number: u32,
    },
    Hook {
        number: u32,
        delay: Duration,
    },
    Waiting {
        delay: Duration,
        source: DelaySource,
        requested: Option<Duration>,
    },
    GaveUp(GiveUp),
    Succeeded,
    Cancelled,
}

/// The steps so far. The time counts from the start of the call.
pub struct Record {
    started: Instant,
    steps: Mutex<Vec<(Duration, Step)>>,
}

impl Record {
    pub fn new() -> Self {
        Self { started: Instant::now(), steps: Mutex::default() }
    }

    pub fn push(&self, step: Step) {
        self.steps.lock().unwrap().push((self.started.elapsed(), step));
    }

    pub fn steps(self) -> Vec<(Duration, Step)> {
        self.steps.into_inner().unwrap()
    }
}

impl Observer for Record {
    fn on_event(&self, event: &Event<'_>) {
        let number = event.attempt;
        self.push(match event.kind {
            EventKind::AttemptStarted => Step::Started { number },
            EventKind::AttemptFailed { .. } => Step::Failed { number },
            EventKind::Waiting { delay, source, requested, .. } => Step::Waiting { delay, source, requested },
            EventKind::GaveUp(reason) => Step::GaveUp(reason),
            EventKind::Succeeded => Step::Succeeded,
            EventKind::Cancelled => Step::Cancelled,
            kind => panic!("an unexpected event: {kind:?}"),
        });
    }
}
