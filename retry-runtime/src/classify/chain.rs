//! The search along `source()` for errors whose class is known by their type.

use std::error::Error;
use std::io;
use std::iter::successors;

use crate::classify::class::{Class, Failure, Retryable};
use crate::classify::mark::Marked;
use crate::classify::timed_out::TimedOut;
use crate::load::breaker::BreakerOpen;

/// A chain of sources has no end where an error is its own source; nobody nests this deep on purpose.
const DEPTH: usize = 64;

/// What the user has marked in the chain, or else what the first error knows that knows something of itself.
#[cold]
pub(crate) fn search(head: &(dyn Error + 'static)) -> Failure {
    let marked = || links(head).find_map(failure_of::<Marked>);
    marked().or_else(|| links(head).find_map(known)).unwrap_or(Failure::new(Class::Unknown))
}

/// The same for an error that may borrow, and so cannot be asked for its own type, only for its sources'.
#[cold]
pub(crate) fn search_sources(error: &dyn Error) -> Failure {
    error.source().map_or(Failure::new(Class::Unknown), search)
}

/// The errors of a chain, from its head on.
pub(crate) fn links<'a>(head: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(head), |&error| next(error)).take(DEPTH)
}

/// An `io::Error` passes over the error that it holds: its source is that one's source.
fn next<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    held.map(|held| held as &(dyn Error + 'static)).or_else(|| error.source())
}

/// What is known of one link by its type.
fn known(error: &(dyn Error + 'static)) -> Option<Failure> {
    let failure = None
        .or_else(|| error.downcast_ref::<io::Error>().map(of_io))
        .or_else(|| failure_of::<TimedOut>(error))
        .or_else(|| failure_of::<BreakerOpen>(error))
        .or_else(|| crate::classify::clients::known(error))?;
    (failure.class() != Class::Unknown || failure.status().is_some()).then_some(failure)
}

/// Only a refused connection cannot be one that was made before: routes may vanish under it.
fn of_io(error: &io::Error) -> Failure {
    let failure = Failure::new(Class::of_io(error.kind()));
    match error.kind() {
        io::ErrorKind::ConnectionRefused => failure.before_processing(),
        io::ErrorKind::TimedOut => failure.after_timeout(),
        _ => failure,
    }
}

pub(crate) fn failure_of<E: Error + Retryable + 'static>(error: &(dyn Error + 'static)) -> Option<Failure> {
    error.downcast_ref::<E>().map(Failure::of)
}
