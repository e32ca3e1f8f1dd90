//! The `source()` chain of an error, and its links by type.

use std::error::Error;
use std::io;
use std::iter::successors;

use crate::classify::class::Class;
use crate::classify::failure::Failure;
use crate::classify::retryable::Retryable;

/// A chain of sources has no end where an error is its own source; nobody nests this deep on purpose.
const DEPTH: usize = 64;

/// The errors of a chain, from its head on.
pub(crate) fn links<'a>(head: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(head), |&error| next(error)).take(DEPTH)
}

/// An `io::Error` passes over the error that it holds: its source is that one's source.
fn next<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    held.map(|held| held as &(dyn Error + 'static)).or_else(|| error.source())
}

pub(crate) fn failure_of<E: Error + Retryable + 'static>(error: &(dyn Error + 'static)) -> Option<Failure> {
    error.downcast_ref::<E>().map(Failure::of)
}

/// Classifies an error by its sources alone: its own type may borrow, or have decided already.
#[cold]
pub(crate) fn search_sources(error: &dyn Error) -> Failure {
    error.source().map_or(Failure::new(Class::Unknown), Retryable::failure)
}
