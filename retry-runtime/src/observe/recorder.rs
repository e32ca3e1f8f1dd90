//! Recording of the events of a simulation.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::context::simulation;
use crate::observe::event::Event;
use crate::observe::owned::OwnedEvent;

/// The events of all calls in one simulation.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<Vec<OwnedEvent>>);

impl Recorder {
    pub(crate) fn events(&self) -> MutexGuard<'_, Vec<OwnedEvent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records an event, if a simulation is current.
pub(crate) fn record(event: &Event<'_>) {
    let Some(simulation) = simulation::current() else { return };
    let Some(recorder) = simulation.recorder().downcast_ref::<Recorder>() else { return };
    // Converted before the lock is taken, because formatting the error runs user code, which may make calls that record
    // events too.
    let event = event.into_owned();
    recorder.events().push(event);
}
