//! What the engine asks of a rehearsal: the one whose future is polled on this thread.
//!
//! The cell is set while the future is polled or dropped, and set back however that ends, as in `scope.rs`.

use core::cell::RefCell;
use core::time::Duration;

use crate::engine::call::Call;
use crate::engine::state::CallState;
use crate::observe::event::Event;
use crate::testing::Simulation;

thread_local! {
    static CURRENT: RefCell<Option<Simulation>> = const { RefCell::new(None) };
}

/// Makes a rehearsal the current one until it is dropped.
pub(crate) struct EnteredSimulation(Option<Simulation>);

impl EnteredSimulation {
    pub(crate) fn new(simulation: &Simulation) -> Self {
        Self(CURRENT.replace(Some(simulation.clone())))
    }
}

impl Drop for EnteredSimulation {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Asks the current rehearsal, if there is one.
fn current<T>(ask: impl FnOnce(&Simulation) -> T) -> Option<T> {
    // A call that a thread drops at its very end finds no cell any more.
    CURRENT.try_with(|current| current.borrow().as_ref().map(ask)).ok().flatten()
}

pub(crate) fn is_on() -> bool {
    current(|_| ()).is_some()
}

pub(crate) fn note(event: &Event<'_>) {
    // Outside of the borrow, for the text of the error is the user's code.
    if let Some(simulation) = current(Simulation::clone) {
        simulation.note(event.into_owned());
    }
}

/// The most attempts that a call may make, if the rehearsal says so.
pub(crate) fn most_attempts() -> Option<u32> {
    current(|simulation| simulation.max_attempts).flatten()
}

/// Where randomness comes from.
pub(crate) fn random_source() -> Option<fn() -> f64> {
    is_on().then_some(|| current(Simulation::draw).unwrap_or_default())
}

/// How long to sleep instead of this delay.
pub(crate) fn slept(delay: Duration) -> Duration {
    if skips_delays() { Duration::ZERO } else { delay }
}

/// A call that does not sleep is older by the delay all the same, for its deadline to be where it is.
pub(crate) fn skip(state: &mut CallState, call: &mut dyn Call, delay: Duration) {
    if !skips_delays() {
        return;
    }
    let since = state.watched_since_mut().into_iter().chain(call.history_mut().map(|history| &mut history.started));
    for start in since {
        *start = start.checked_sub(delay).unwrap_or(*start);
    }
}

fn skips_delays() -> bool {
    current(|simulation| !simulation.keeps_delays) == Some(true)
}
