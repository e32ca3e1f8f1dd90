//! What the engine asks of a rehearsal: the one whose future is polled on this thread.
//!
//! The cell is set while the future is polled or dropped, and set back however that ends, as in `scope.rs`.

use core::cell::RefCell;
use core::time::Duration;

use crate::Event;
use crate::call::Call;
use crate::rare::Rare;
use crate::testing::Rehearsal;

thread_local! {
    static CURRENT: RefCell<Option<Rehearsal>> = const { RefCell::new(None) };
}

/// Makes a rehearsal the current one until it is dropped.
pub(super) struct Entered(Option<Rehearsal>);

impl Entered {
    pub(super) fn new(rehearsal: &Rehearsal) -> Self {
        Self(CURRENT.replace(Some(rehearsal.clone())))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Asks the current rehearsal, if there is one.
fn current<T>(ask: impl FnOnce(&Rehearsal) -> T) -> Option<T> {
    // A call that a thread drops at its very end finds no cell any more.
    CURRENT.try_with(|current| current.borrow().as_ref().map(ask)).ok().flatten()
}

pub(crate) fn is_on() -> bool {
    current(|_| ()).is_some()
}

pub(crate) fn note(event: &Event<'_>) {
    // Outside of the borrow, for the text of the error is the user's code.
    if let Some(rehearsal) = current(Rehearsal::clone) {
        rehearsal.note(event.into_owned());
    }
}

/// The most attempts that a call may make, if the rehearsal says so.
pub(crate) fn most_attempts() -> Option<u32> {
    current(|rehearsal| rehearsal.most).flatten()
}

/// Where randomness comes from.
pub(crate) fn random_source() -> Option<fn() -> f64> {
    is_on().then_some(|| current(Rehearsal::draw).unwrap_or_default())
}

/// How long to sleep instead of this delay.
pub(crate) fn slept(delay: Duration) -> Duration {
    if skips_delays() { Duration::ZERO } else { delay }
}

/// A call that does not sleep is older by the delay all the same, for its deadline to be where it is.
pub(crate) fn skip(rare: &mut Rare, call: &mut dyn Call, delay: Duration) {
    if !skips_delays() {
        return;
    }
    let since = rare.watched_since_mut().into_iter().chain(call.notes_mut().map(|notes| &mut notes.started));
    for start in since {
        *start = start.checked_sub(delay).unwrap_or(*start);
    }
}

fn skips_delays() -> bool {
    current(|rehearsal| !rehearsal.keeps_delays) == Some(true)
}
